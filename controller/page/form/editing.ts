/** Keeps the form and the JSON in step, whichever is edited. */

import type { JsonObject } from './json.ts';
import { NEW_VIP, newEndpoint, type ServiceForm, type VipForm } from './model.ts';
import { parseApp, readForm } from './read.ts';
import { writeForm } from './write.ts';

export interface Editing {
  /** The app as it would be sent. */
  readonly json: JsonObject;
  readonly form: ServiceForm;
  /** The text in the JSON field; it may be invalid while the user types. */
  readonly text: string;
  /** Why the text is not an app; null if it is one. */
  readonly textError: string | null;
}

export function startEditing(json: JsonObject): Editing {
  return { json, form: readForm(json), text: textOf(json), textError: null };
}

/** Takes a change of the form over into the JSON. */
export function editForm({ json }: Editing, form: ServiceForm): Editing {
  const next = writeForm(json, form);
  return { json: next, form, text: textOf(next), textError: null };
}

/** Takes a change of the JSON over into the form; if the text is not a valid app, the form stays as it is. */
export function editText(editing: Editing, text: string): Editing {
  const json = parseApp(text);
  if (typeof json === 'string') return { ...editing, text, textError: json };
  return { json, form: readForm(json), text, textError: null };
}

export function addEndpoint(form: ServiceForm): ServiceForm {
  const key = Math.max(-1, ...form.endpoints.map((endpoint) => endpoint.key)) + 1;
  return { ...form, endpoints: [...form.endpoints, newEndpoint(key)] };
}

/** The VIPs of an endpoint after load balancing was switched on or off. */
export function loadBalanced(on: boolean): readonly VipForm[] {
  return on ? [NEW_VIP] : [];
}

function textOf(json: JsonObject): string {
  return JSON.stringify(json, null, 2);
}
