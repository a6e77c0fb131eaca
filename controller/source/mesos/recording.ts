import { isRecord } from '../../input/rejection.ts';
import { Pace } from '../../pace.ts';
import { checkSize, walkJson } from '../json/walk.ts';
import type { LastGood } from '../last-good.ts';
import { Cluster } from './cluster.ts';
import { readEvent } from './events.ts';
import { readOldState } from './old-state.ts';
import { agentInfoSchema } from './schema.ts';
import { readState } from './state.ts';

/** The shapes that `readRecording` knows, for a message. */
export const RECORDED_SHAPES = 'Mesos data (a GET_STATE reply, /state, or a stream with one event a line)';

const NEWLINE = 0x0a;

/**
 * Reads what was recorded of Mesos: a `GET_STATE` reply of a master or an agent, the old `/state` of either, or several
 * JSON objects, one a line: events of a stream, `GET_STATE` and `GET_AGENT` replies. Resolves with the state at
 * its end, or null for anything else. Rejects with a `SyntaxError` for a line that is truncated or not JSON. `source`: name of the source;
 * `lastGood`: its last good state.
 */
export async function readRecording(
  bytes: Buffer,
  source: string,
  lastGood?: LastGood,
): Promise<Cluster | null> {
  const pace = new Pace();
  if (kindOf(firstLine(bytes)) === 'message')
    return await readLines(bytes, new Cluster(source, lastGood), pace);
  const kind = kindOf(bytes);
  if (kind === 'old state') await checkSize(bytes, pace);
  const state =
    kind === 'message'
      ? await readState(bytes, pace)
      : kind === 'old state'
        ? readOldState(JSON.parse(bytes.toString('utf8')))
        : null;
  if (state === null) return null;
  const cluster = new Cluster(source, lastGood);
  await cluster.replace(state, 0, pace);
  return cluster;
}

async function readLines(bytes: Buffer, cluster: Cluster, pace: Pace): Promise<Cluster> {
  let hasState = false;
  let number = 0;
  for (const line of linesOf(bytes)) {
    number += 1;
    try {
      if (await readLine(line, cluster, pace)) hasState = true;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(`line ${number}: ${error.message}`);
    }
  }
  // Events alone report changes, not the state.
  if (!hasState)
    throw new SyntaxError('there is no state in it: expected a GET_STATE reply or a SUBSCRIBED event');
  return cluster;
}

/** Resolves with whether the line is a state. */
async function readLine(line: Buffer, cluster: Cluster, pace: Pace): Promise<boolean> {
  const type = typeOf(line);
  if (type === 'SUBSCRIBED' || type === 'GET_STATE') {
    const state = await readState(line, pace);
    if (state === null) throw new SyntaxError(`${type} without get_tasks and get_frameworks`);
    await cluster.replace(state, 0, pace);
    return true;
  }
  await checkSize(line, pace);
  const json: unknown = JSON.parse(line.toString('utf8'));
  const event = type === 'GET_AGENT' ? agentIn(json) : readEvent(json);
  if (event !== null) cluster.apply(event, 0);
  return false;
}

/** An agent's reply to GET_AGENT is the only place where it names itself. */
function agentIn(json: unknown): ReturnType<typeof readEvent> {
  const reply = isRecord(json) ? json['get_agent'] : undefined;
  const { data } = agentInfoSchema.safeParse(isRecord(reply) ? reply['agent_info'] : undefined);
  return data ? { type: 'agent-added', agent: data } : null;
}

const KEYS = { type: 'value', apps: 'each', frameworks: 'each' } as const;

/**
 * The likely kind of a JSON object, without parsing it: a message has a type in capitals, `/state` a list of frameworks.
 * Null for other JSON, and for anything else.
 */
function kindOf(bytes: Buffer): 'message' | 'old state' | null {
  try {
    for (const found of walkJson(bytes, KEYS)) {
      if (found?.path === 'apps') return null;
      if (found?.path === 'frameworks') return 'old state';
      if (found?.path === 'type' && isType(found.json)) return 'message';
    }
  } catch (error) {
    // Its mistakes are reported when it is read as another format.
    if (!(error instanceof SyntaxError)) throw error;
  }
  return null;
}

function isType(json: unknown): boolean {
  return typeof json === 'string' && /^[A-Z]+(?:_[A-Z]+)*$/.test(json);
}

function typeOf(line: Buffer): unknown {
  for (const found of walkJson(line, { type: 'value' })) if (found?.path === 'type') return found.json;
  return undefined;
}

function firstLine(bytes: Buffer): Buffer {
  const newline = bytes.indexOf(NEWLINE);
  return newline < 0 ? bytes : bytes.subarray(0, newline);
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.subarray(at, end);
    if (line.toString('latin1').trim() !== '') yield line;
    at = end + 1;
  }
}
