import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { DeploymentDocument } from '../../../api/documents.ts';
import { askDeployment, errorOf } from '../../api.ts';
import { writeToken } from '../../token.ts';
import { begun, type DeploymentState, deploymentState, type Goal, pauseAfter } from '../deployment-state.ts';

/** For how long the controller here is waited for once Marathon is done. */
const HERE_MS = 5_000;

const WORDS: Readonly<Record<DeploymentState['state'], { readonly word: string; readonly tone: string }>> = {
  runs: { word: 'deploying', tone: 'attention' },
  applying: { word: 'waiting for the controller on this host', tone: 'attention' },
  unknown: { word: 'not known', tone: 'attention' },
  done: { word: 'deployed', tone: 'good' },
  ended: { word: 'not deployed', tone: 'bad' },
};

/** How far a deployment is, until it is over. */
export function Deployment({ goal }: { readonly goal: Goal }): VNode {
  const { state, text } = useDeploymentState(goal);
  const { word, tone } = WORDS[state];
  const said = state === 'done' && goal.vips === 'gone' ? 'removed' : word;
  return (
    <p class="progress" role="status" aria-live="polite">
      <span class={`badge ${tone}`}>{said}</span> {text}
    </p>
  );
}

function useDeploymentState(goal: Goal): DeploymentState {
  const [reached, setReached] = useState(begun(goal));
  const { deployment } = goal;
  useEffect(() => {
    const left = new AbortController();
    setReached(begun(goal));
    void follow(goal, left.signal, (next) => !left.signal.aborted && setReached(next));
    return () => left.abort();
  }, [deployment]);
  return reached;
}

/** Asks until it is over, or `left` aborts; nothing is asked for while nobody sees it. */
async function follow(
  goal: Goal,
  left: AbortSignal,
  tell: (reached: DeploymentState) => void,
): Promise<void> {
  let failures = 0;
  let doneAt: number | null = null;
  while (!left.aborted) {
    await seen(left);
    const reply = await askDeployment(writeToken.current(), goal, left);
    if (left.aborted) return;
    if (reply.status === 200) {
      failures = 0;
      const reached = deploymentState(reply.body as DeploymentDocument, goal);
      if (reached.state === 'applying') doneAt ??= Date.now();
      // It has what it has: another program may hold the address, or nothing is written here.
      const waited = doneAt !== null && Date.now() - doneAt >= HERE_MS;
      const over = reached.state === 'applying' && waited ? { ...reached, state: 'done' as const } : reached;
      tell(over);
      if (over.state === 'done' || over.state === 'ended') return;
    } else {
      failures += 1;
      const seconds = pauseAfter(failures) / 1_000;
      tell({ state: 'unknown', text: `${errorOf(reply)}; asking again in ${seconds} s` });
    }
    await pause(pauseAfter(failures), left);
  }
}

function pause(ms: number, left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    left.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Resolves at once, or when the page is shown again, or left. */
function seen(left: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const shown = new AbortController();
    const look = () => {
      if (document.hidden && !left.aborted) return;
      shown.abort();
      resolve();
    };
    document.addEventListener('visibilitychange', look, { signal: shown.signal });
    left.addEventListener('abort', look, { signal: shown.signal });
  });
}
