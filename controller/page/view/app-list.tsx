import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { errorOf, type Reply, requestApps } from '../api.ts';
import { facts } from '../facts.ts';
import { editLink } from '../route.ts';
import { useWriteToken } from '../token.ts';
import { TokenField } from './token-field.tsx';

/** The apps that can be edited. */
export function AppList(): VNode {
  const [token] = useWriteToken();
  const [reply, setReply] = useState<Reply | null>(null);
  useEffect(() => {
    if (token !== '' || facts.certified) void requestApps(token, { method: 'GET' }).then(setReply);
  }, [token]);
  return (
    <>
      <h1>Apps</h1>
      <p>
        <a class="button" href="#/new">
          New service
        </a>
      </p>
      {facts.writes ? (
        <TokenField />
      ) : (
        <p>
          Reading and writing apps is disabled on this controller; <code>--allow-writes</code> with{' '}
          <code>--write-token-file</code> enables it. The form for a new service still creates its JSON.
        </p>
      )}
      {reply !== null &&
        (reply.status === 200 ? (
          <Ids apps={(reply.body as { apps: readonly string[] }).apps} />
        ) : (
          <p role="alert">{errorOf(reply)}</p>
        ))}
    </>
  );
}

function Ids({ apps }: { readonly apps: readonly string[] }): VNode {
  if (apps.length === 0) return <p>There are no apps.</p>;
  return (
    <ul class="ids">
      {apps.map((id) => (
        <li>
          <a href={editLink(id)}>{id}</a>
        </li>
      ))}
    </ul>
  );
}
