import type { StatusDocument, VipDocument } from './document.ts';

/**
 * The document with the VIPs that `name` means: their name, name and framework, DNS name, address or an app that
 * declares them, each also with `:PORT`; or part of a name or app with `*` for any characters. Of large removals only theirs
 * stay, everything else stays.
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
