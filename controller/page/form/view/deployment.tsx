import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { DeploymentDocument } from '../../../api/documents.ts';
import { errorOf, requestDeployment } from '../../api.ts';
import { writeToken } from '../../token.ts';
import { begun, type DeploymentState, deploymentState, type Goal, pauseAfter } from '../deployment-state.ts';

/** How long to wait for the controller on this host once Marathon has finished. */
const APPLY_MS = 5_000;

const WORDS: Readonly<Record<DeploymentState['state'], { readonly word: string; readonly tone: string }>> = {
  runs: { word: 'deploying', tone: 'attention' },
  applying: { word: 'waiting for the controller on this host', tone: 'attention' },
  unknown: { word: 'unknown', tone: 'attention' },
  done: { word: 'deployed', tone: 'good' },
  ended: { word: 'not deployed', tone: 'bad' },
};

/** The progress of a deployment until it is over. */
export function Deployment({ goal }: { readonly goal: Goal }): VNode {
  const { state, text } = useDeploymentState(goal);
  const { word, tone } = WORDS[state];
  const label = state === 'done' && goal.vips === 'gone' ? 'removed' : word;
  return (
    <p class="progress" role="status" aria-live="polite">
      <span class={`badge ${tone}`}>{label}</span> {text}
    </p>
  );
}

function useDeploymentState(goal: Goal): DeploymentState {
  const [reached, setReached] = useState(begun(goal));
  const { deployment } = goal;
  useEffect(() => {
    const unmounted = new AbortController();
    setReached(begun(goal));
    void follow(goal, unmounted.signal, (next) => !unmounted.signal.aborted && setReached(next));
    return () => unmounted.abort();
  }, [deployment]);
  return reached;
}

/** Polls until the deployment is over or `signal` aborts, but not while the page is hidden. */
async function follow(
  goal: Goal,
  signal: AbortSignal,
  update: (reached: DeploymentState) => void,
): Promise<void> {
  let failures = 0;
  let doneAt: number | null = null;
  while (!signal.aborted) {
    await pageShown(signal);
    const reply = await requestDeployment(writeToken.current(), goal, signal);
    if (signal.aborted) return;
    if (reply.status === 200) {
      failures = 0;
      const reached = deploymentState(reply.body as DeploymentDocument, goal);
      if (reached.state === 'applying') doneAt ??= Date.now();
      // This host may never apply it: another program may own the address, or the controller only plans.
      const waited = doneAt !== null && Date.now() - doneAt >= APPLY_MS;
      const over = reached.state === 'applying' && waited ? { ...reached, state: 'done' as const } : reached;
      update(over);
      if (over.state === 'done' || over.state === 'ended') return;
    } else {
      failures += 1;
      const seconds = pauseAfter(failures) / 1_000;
      update({ state: 'unknown', text: `${errorOf(reply)}; retrying in ${seconds} s` });
    }
    await pause(pauseAfter(failures), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Resolves once the page is visible, or when `signal` aborts. */
function pageShown(signal: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const shown = new AbortController();
    const check = () => {
      if (document.hidden && !signal.aborted) return;
      shown.abort();
      resolve();
    };
    document.addEventListener('visibilitychange', check, { signal: shown.signal });
    signal.addEventListener('abort', check, { signal: shown.signal });
  });
}
