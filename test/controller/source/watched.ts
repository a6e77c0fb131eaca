/** How often something of watched objects was read. */
export interface Reads {
  count: number;
}

/** The same object, which counts each look at one of its properties: those who go over all of many objects show. */
export function watched<T extends object>(object: T, reads: Reads): T {
  return new Proxy(object, {
    get(target, key, receiver) {
      reads.count += 1;
      return Reflect.get(target, key, receiver);
    },
  });
}
