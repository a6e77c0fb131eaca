/** Which kernels and which test files of the matrix a run is about. */
export interface Asked {
  readonly versions: readonly string[];
  readonly files: readonly string[];
}

/**
 * What the arguments name, in the order of the table: `7.2` is a kernel, `status.test.ts` a file, and without any of a
 * kind it is all of them. Throws where one is neither.
 */
export function askedOf(
  args: readonly string[],
  { versions, files }: { readonly versions: readonly string[]; readonly files: readonly string[] },
): Asked {
  const unknown = args.filter((one) => !versions.includes(one) && !files.includes(one));
  if (unknown.length > 0)
    throw new Error(
      `unknown kernel or test file ${unknown.join(', ')}: expected some of ${[...versions, ...files].join(' ')}`,
    );
  const named = (all: readonly string[]) => {
    const some = all.filter((one) => args.includes(one));
    return some.length > 0 ? some : all;
  };
  return { versions: named(versions), files: named(files) };
}
