import type { VNode } from 'preact';

/** A DNS name with its port; a long one wraps after a dot. */
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
