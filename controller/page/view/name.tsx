import type { VNode } from 'preact';

/** A DNS name with its port; where it is too long for its line it breaks after a dot. */
export function Name({ fqdn, port }: { readonly fqdn: string; readonly port: number }): VNode {
  const pieces = fqdn.split('.');
  return (
    <>
      {pieces.map((piece, at) =>
        at === 0 ? (
          piece
        ) : (
          <>
            .<wbr />
            {piece}
          </>
        ),
      )}
      <span class="port">:{port}</span>
    </>
  );
}
