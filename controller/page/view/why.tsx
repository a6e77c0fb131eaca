import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { VipDocument } from '../../status/document.ts';
import type { StepDocument, TraceDocument, WhyDocument } from '../../why/document.ts';
import { verdictText } from '../../why/verdict-text.ts';
import { errorOf, type Reply, request } from '../api.ts';
import { endpoint, moment } from '../format.ts';
import { Copy } from './copy.tsx';

type TracedVip = Pick<VipDocument, 'id' | 'fqdn' | 'address' | 'port' | 'protocol'>;

/** Traces a connection to the VIP when the user requests it, since a trace opens connections. */
export function Why({ vip }: { readonly vip: TracedVip }): VNode {
  const [found, setFound] = useState<Reply | 'running' | null>(null);
  const current = useRef<AbortController>(null);
  useEffect(() => () => current.current?.abort(), []);
  const trace = async () => {
    if (found === 'running') return;
    const unmounted = new AbortController();
    current.current = unmounted;
    setFound('running');
    const reply = await request(`/v1/why?vip=${encodeURIComponent(nameOf(vip))}`, {
      signal: unmounted.signal,
    });
    if (!unmounted.signal.aborted) setFound(reply);
  };
  return (
    <>
      <h2>
        Connection trace {/* Not disabled while it runs, or keyboard users would lose the focus. */}
        <button type="button" aria-disabled={found === 'running'} onClick={() => void trace()}>
          {found === null || found === 'running' ? 'Why?' : 'Run again'}
        </button>
      </h2>
      <p class="quiet">
        Finds the first broken step of a connection from this host. It opens connections, and changes nothing.
      </p>
      <div role="status">
        {found === 'running' && <p>Tracing. This takes a few seconds if a backend does not answer.</p>}
        {found !== null && found !== 'running' && <Answer reply={found} id={vip.id} />}
      </div>
    </>
  );
}

/** Its DNS name if it has one, since resolving the name is part of the trace. */
function nameOf({ id, fqdn, address, port, protocol }: TracedVip): string {
  if (fqdn !== null) return `${fqdn}:${port}/${protocol}`;
  return address === null ? id : `${endpoint({ address, port })}/${protocol}`;
}

function Answer({ reply, id }: { readonly reply: Reply; readonly id: string }): VNode {
  if (reply.status !== 200) return <p class="error">{errorOf(reply)}</p>;
  const { ways, at } = reply.body as WhyDocument;
  // A name may have a VIP in each address family.
  const ours = ways.filter(({ vip }) => vip?.id === id);
  return (
    <>
      {(ours.length > 0 ? ours : ways).map((way) => (
        <Way way={way} at={at} />
      ))}
    </>
  );
}

const TONES: Readonly<Record<TraceDocument['verdict'] | StepDocument['state'], string>> = {
  works: 'good',
  ok: 'good',
  note: 'plain',
  suspect: 'attention',
  unknown: 'attention',
  broken: 'bad',
};

function Way({ way, at }: { readonly way: TraceDocument; readonly at: string }): VNode {
  const { word, about } = verdictText(way);
  return (
    <>
      <p>
        <span class={`badge ${TONES[way.verdict]}`}>{word}</span> {about}
        <span class="quiet">{` as of ${moment(at, at)}`}</span>
      </p>
      <ol class="way">
        {way.steps.map((step) => (
          <Step step={step} />
        ))}
      </ol>
    </>
  );
}

function Step({ step: { stage, state, found, fix } }: { readonly step: StepDocument }): VNode {
  return (
    <li class={`at-${state}`}>
      <b>{stage}</b> <span class={`badge ${TONES[state]}`}>{state}</span>
      <span class="found">{found}</span>
      {fix !== null && (
        <span class="fix">
          {'Fix: '}
          <code>{fix}</code> <Copy text={fix} what="fix" />
        </span>
      )}
    </li>
  );
}
