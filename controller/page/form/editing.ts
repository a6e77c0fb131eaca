/** The form and the JSON beside it, edited in both directions. */

import type { JsonObject } from './json.ts';
import { NEW_VIP, newEndpoint, type ServiceForm, type VipForm } from './model.ts';
import { parseApp, readForm } from './read.ts';
import { writeForm } from './write.ts';

export interface Editing {
  /** The app as it would be sent. */
  readonly json: JsonObject;
  readonly form: ServiceForm;
  /** What stands in the JSON field; not always JSON while someone types. */
  readonly text: string;
  /** Why the text is not an app; null where it is. */
  readonly textError: string | null;
}

export function startEditing(json: JsonObject): Editing {
  return { json, form: readForm(json), text: textOf(json), textError: null };
}

/** After a change in the form the JSON has it too. */
export function editForm({ json }: Editing, form: ServiceForm): Editing {
  const next = writeForm(json, form);
  return { json: next, form, text: textOf(next), textError: null };
}

/** After a change in the JSON the form has it too, once the text is an app; until then it stays as it was. */
export function editText(editing: Editing, text: string): Editing {
  const json = parseApp(text);
  if (typeof json === 'string') return { ...editing, text, textError: json };
  return { json, form: readForm(json), text, textError: null };
}

export function addEndpoint(form: ServiceForm): ServiceForm {
  const key = Math.max(-1, ...form.endpoints.map((endpoint) => endpoint.key)) + 1;
  return { ...form, endpoints: [...form.endpoints, newEndpoint(key)] };
}

/** Load balancing of an endpoint switched on, with one VIP, or off. */
export function loadBalanced(on: boolean): readonly VipForm[] {
  return on ? [NEW_VIP] : [];
}

function textOf(json: JsonObject): string {
  return JSON.stringify(json, null, 2);
}
