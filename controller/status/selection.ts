import type { StatusDocument, VipDocument } from './document.ts';

/**
 * Returns the document with only the VIPs that match `name`, and only their large removals.
 *
 * A name matches a VIP's id, name, `name.framework`, DNS name or address, each also with `:PORT`, or an app that declares
 * it; `*` stands for any characters.
 */
export function selectVips(document: StatusDocument, name: string): StatusDocument {
  const wanted = matcher(name);
  const vips = document.vips.filter((vip) => namesOf(vip).some(wanted));
  const ids = new Set(vips.map(({ id }) => id));
  const largeRemovals = document.largeRemovals
    .map((removal) => ({ ...removal, services: removal.services.filter((id) => ids.has(id)) }))
    .filter(({ services }) => services.length > 0);
  return { ...document, vips, largeRemovals };
}

function matcher(name: string): (text: string) => boolean {
  const [first = '', ...others] = name.toLowerCase().replace(/\.$/, '').split('*');
  const last = others.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let from = first.length;
    for (const part of others) {
      const at = text.indexOf(part, from);
      if (at < 0) return false;
      from = at + part.length;
    }
    return text.length - last.length >= from && text.endsWith(last);
  };
}

function namesOf({ id, name, framework, fqdn, address, port, apps }: VipDocument): string[] {
  const full = name === null ? [] : [name, `${name}.${framework}`];
  const bracketed = address?.includes(':') === true ? [`[${address}]:${port}`] : [];
  const places = [...full, fqdn, address].filter((text) => text !== null);
  return [id, ...places, ...places.map((text) => `${text}:${port}`), ...bracketed, ...apps].map((text) =>
    text.toLowerCase(),
  );
}
