/** Filters for what app authors write: VIP labels and their options may be in a bundle, other labels may not. */

import { isIP } from 'node:net';
import type { Port, Rejection } from '../model/app.ts';
import type { Place } from '../model/place.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { isVipLabel, OPTION_KEYS } from '../settings/label-keys.ts';
import type { StoredApp } from '../state/stored-ports.ts';
import { withoutSecrets } from './free-text.ts';
import { type Leaf, message, name, type ShapeOf } from './shape.ts';

const HIDDEN = '***';
const NAMED_VIP = /^[\w./-]{0,255}:\+?\d{1,5}$/;
/** `PreferSameNode`, `mh-fallback,mh-port`, `24/64`; no option mixes letters and digits. */
const OPTION_VALUE = /^(?:[A-Za-z,-]{0,24}|[\d./+-]{0,12})$/;
/** Fields of a definition whose values are numbers or keywords. */
const KNOWN_FIELDS =
  /(?:^|\.)(?:port|hostPort|containerPort|servicePort|protocol|mode|state|health|instances)(?:\[\d+\])?$/;

/** The value of a label. It is kept only if it is a valid value of one of our labels: any other may be a password. */
export const label: Leaf = (text, key) => (isLabelOfOurs(key, text) ? text : HIDDEN);

function isLabelOfOurs(key: string, text: string): boolean {
  return isVipLabel(key) ? isVip(text) : OPTION_KEYS.includes(key) && OPTION_VALUE.test(text);
}

/** `/web:80`, `10.1.2.3:80`, `fd01::1:80`; nothing that could contain a user and a password before the port. */
function isVip(text: string): boolean {
  return NAMED_VIP.test(text) || isIP(text.slice(0, Math.max(0, text.lastIndexOf(':')))) !== 0;
}

/** The value of a VIP label that was valid. */
export const vip: Leaf = (text) => (isVip(text) ? text : HIDDEN);

/** A rejected value, depending on its path (`at`). */
export const offending: Leaf = (text, _key, { at }) => {
  const path = typeof at === 'string' ? at : '';
  const labels = path.lastIndexOf('labels.');
  const kept =
    labels === -1
      ? KNOWN_FIELDS.test(path) && OPTION_VALUE.test(text)
      : isLabelOfOurs(path.slice(labels + 'labels.'.length), text);
  return kept ? text : HIDDEN;
};

/** Our own messages about a definition, which quote its values and suggest others. */
export const remark: Leaf = (text) =>
  withoutSecrets(
    text
      .replace(/"(.*)"/s, (whole, value) => (isVip(value) ? whole : `"${HIDDEN}"`))
      .replace(/^.* meant\?/s, (upTo) =>
        upTo.replace(/\bwas (.*) meant\?$/s, (whole, value) =>
          isVip(value) ? whole : `was ${HIDDEN} meant?`,
        ),
      ),
  );

/** What the support bundle keeps of a rejection. */
export const REJECTION: ShapeOf<Rejection> = { app: name, at: name, value: offending, reason: remark };

const PORT: ShapeOf<Port> = {
  at: name,
  protocols: [name],
  labels: { '*': label },
  mode: name,
  backendAddress: name,
  container: name,
  definedBy: name,
};

const PLACE: ShapeOf<Place> = { region: name, zone: name, node: name };
const ENDPOINT = { address: name, port: name };

const TASK: ShapeOf<StoredApp['tasks'][number]> = {
  id: name,
  name,
  onlyIn: name,
  state: name,
  health: name,
  agent: { host: name, address: name },
  place: PLACE,
  addresses: [name],
  ports: [{ port: name, endpoints: [ENDPOINT], local: [ENDPOINT], unresolved: message }],
};

/** What the support bundle keeps of a saved app. */
export const APP: ShapeOf<StoredApp> = {
  id: name,
  kind: name,
  fromTasks: name,
  source: name,
  labelsPerTask: name,
  framework: name,
  ports: [PORT],
  tasks: [TASK],
  olderPorts: [PORT],
  rejected: [REJECTION],
  warnings: [remark],
  unknown: message,
};

/** The data of a source besides its apps. */
export const ABOUT: ShapeOf<Omit<Snapshot, 'apps'>> = {
  rejected: [REJECTION],
  warnings: [remark],
  agents: [name],
  places: { '*': PLACE },
  unknown: [{ part: name, reason: message }],
};
