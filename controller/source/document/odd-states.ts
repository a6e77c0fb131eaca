import { isRecord, shown } from '../../input/rejection.ts';
import type { Rejection } from '../../model/app.ts';
import { stateProblem } from './states.ts';

/** The states in the JSON of an app or pod that Mesos does not have or writes in another way; `app` is its absolute id. */
export function findOddStates(json: Readonly<Record<string, unknown>>, app: string): readonly Rejection[] {
  const found: Rejection[] = [];
  const look = (state: unknown, at: string) => {
    const reason = typeof state === 'string' && state !== '' ? stateProblem(state) : null;
    if (reason !== null) found.push({ app, at, value: shown(state), reason });
  };
  eachIn(json['tasks'], (task, index) => look(task['state'], `tasks[${index}].state`));
  eachIn(json['instances'], ({ containers }, instance) =>
    eachIn(containers, ({ status }, index) =>
      look(status, `instances[${instance}].containers[${index}].status`),
    ),
  );
  return found;
}

/** Calls `look` for each object of a list. */
function eachIn(
  list: unknown,
  look: (element: Readonly<Record<string, unknown>>, index: number) => void,
): void {
  if (!Array.isArray(list)) return;
  for (const [index, element] of list.entries()) if (isRecord(element)) look(element, index);
}
