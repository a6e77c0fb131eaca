import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { VipDocument } from '../../status/document.ts';
import type { StepDocument, TraceDocument, WhyDocument } from '../../why/document.ts';
import { verdictWords } from '../../why/verdict-words.ts';
import { ask, errorOf, type Reply } from '../api.ts';
import { endpoint, moment } from '../format.ts';
import { Copy } from './copy.tsx';

type Asked = Pick<VipDocument, 'id' | 'fqdn' | 'address' | 'port' | 'protocol'>;

/** Walks the way of a connection to the VIP, when someone asks: it opens connections. */
export function Why({ vip }: { readonly vip: Asked }): VNode {
  const [found, setFound] = useState<Reply | 'walking' | null>(null);
  const gone = useRef<AbortController>(null);
  useEffect(() => () => gone.current?.abort(), []);
  const walk = async () => {
    if (found === 'walking') return;
    const leaving = new AbortController();
    gone.current = leaving;
    setFound('walking');
    const reply = await ask(`/v1/why?vip=${encodeURIComponent(nameOf(vip))}`, { signal: leaving.signal });
    if (!leaving.signal.aborted) setFound(reply);
  };
  return (
    <>
      <h2>
        Way of a connection{' '}
        {/* Not disabled while it walks, or who came by keyboard would lose their place. */}
        <button type="button" aria-disabled={found === 'walking'} onClick={() => void walk()}>
          {found === null || found === 'walking' ? 'Why?' : 'Ask again'}
        </button>
      </h2>
      <p class="quiet">
        Finds the first thing that keeps connections from this host from working. It opens some, and changes
        nothing.
      </p>
      <div role="status">
        {found === 'walking' && <p>On the way. That takes some seconds where nobody answers.</p>}
        {found !== null && found !== 'walking' && <Answer reply={found} id={vip.id} />}
      </div>
    </>
  );
}

/** Asked by name where it has one: the name belongs to the way. */
function nameOf({ id, fqdn, address, port, protocol }: Asked): string {
  if (fqdn !== null) return `${fqdn}:${port}/${protocol}`;
  return address === null ? id : `${endpoint({ address, port })}/${protocol}`;
}

function Answer({ reply, id }: { readonly reply: Reply; readonly id: string }): VNode {
  if (reply.status !== 200) return <p class="error">{errorOf(reply)}</p>;
  const { ways, at } = reply.body as WhyDocument;
  // A name has a VIP of each family.
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
  const { word, about } = verdictWords(way);
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
