import { isRecord } from '../input/rejection.ts';
import { label, offending, remark } from './app-fields.ts';
import { isSecretName, withoutSecrets } from './free-text.ts';
import { filtered, type Leaf, message, name } from './shape.ts';

/** A JSON line, optionally after journald's prefix of time, host, unit and process. */
const LINE = /^((?:\S+ \S+ \S+: )?)(\{.*\})\s*$/;

/** Fields of a log line that hold an id, a name or an address. */
const NAMES: ReadonlySet<string> = new Set(
  'level time msg app apps id vip vips service services backend address at source netns path directory listen lease step'.split(
    ' ',
  ),
);
/** Fields that describe a mistake in a definition. */
const REMARKS: ReadonlySet<string> = new Set(['reason', 'why', 'warning', 'warnings']);
/** Free-form fields of app definitions. */
const FREE_FORM: ReadonlySet<string> = new Set(
  'env environment cmd command args arguments uri uris fetch parameters'.split(' '),
);

/** Filters a log: our own JSON lines by their fields, everything else, such as a crash, as free text. */
export function logText(text: string): string {
  const blocks: string[] = [];
  let others: string[] = [];
  const flush = () => {
    if (others.length > 0) blocks.push(withoutSecrets(others.join('\n')));
    others = [];
  };
  for (const line of text.split('\n')) {
    const ours = ownLine(line);
    if (ours === null) others.push(line);
    else {
      flush();
      blocks.push(ours);
    }
  }
  flush();
  return blocks.join('\n');
}

function ownLine(line: string): string | null {
  const [, before = '', json] = LINE.exec(line) ?? [];
  if (json === undefined) return null;
  try {
    return before + JSON.stringify(fieldOf(JSON.parse(json), '', {}));
  } catch {
    return null;
  }
}

function fieldOf(value: unknown, key: string, beside: Readonly<Record<string, unknown>>): unknown {
  if (FREE_FORM.has(key) || isSecretName(key)) return '***';
  if (key === 'labels') return filtered(value, { '*': label });
  if (Array.isArray(value)) return value.map((one) => fieldOf(one, key, beside));
  if (!isRecord(value)) return filtered(value, leafOf(key), key, beside);
  return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, fieldOf(one, field, value)]));
}

function leafOf(key: string): Leaf {
  if (key === 'value') return offending;
  if (REMARKS.has(key)) return remark;
  return NAMES.has(key) ? name : message;
}
