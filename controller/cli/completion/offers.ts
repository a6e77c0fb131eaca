import {
  type Candidates,
  type CommandGrammar,
  type Flag,
  firstWords,
  type NameKind,
  summaryOf,
} from './grammar.ts';

/** The completions of the last word. */
export interface Offers {
  readonly words: readonly Offer[];
  /** Whether files are accepted too. */
  readonly files: boolean;
}

export interface Offer {
  readonly value: string;
  readonly description: string;
}

/** A command line as typed so far. */
export interface Typed {
  readonly command: CommandGrammar;
  /** The options before the last word, with their values. */
  readonly flags: readonly { readonly flag: Flag; readonly text: string }[];
}

/** Looks up names. Resolves with an empty list if the lookup fails. */
export type LookUp = (kind: NameKind, typed: Typed) => Promise<readonly Offer[]>;

const NO_OFFERS: Offers = { words: [], files: false };

/**
 * The completions of the last word, which may be empty: commands, options, their values, arguments. `words` are those after
 * the program's name.
 */
export async function offersFor(
  words: readonly string[],
  commands: readonly CommandGrammar[],
  lookUp: LookUp,
): Promise<Offers> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const offers = await allOffers(before, current, commands, lookUp);
  return { ...offers, words: offers.words.filter(({ value }) => value.startsWith(current)) };
}

async function allOffers(
  before: readonly string[],
  current: string,
  commands: readonly CommandGrammar[],
  lookUp: LookUp,
): Promise<Offers> {
  const [first, ...rest] = before;
  if (first === 'help') return await allOffers(rest, current, commands.map(nameOnly), lookUp);
  const members = firstWords(commands);
  if (first === undefined) {
    const all = [...members].map(([word, within]) => ({ value: word, description: summaryOf(word, within) }));
    return { words: [...all, ...PROGRAM], files: false };
  }
  const command = commands.find(({ path }) => path.every((word, at) => word === before[at]));
  if (command !== undefined) return await within(command, before.slice(command.path.length), current, lookUp);
  if (before.length > 1) return NO_OFFERS;
  const verbs = (members.get(first) ?? []).map(({ path, description }) => ({
    value: path[1] ?? '',
    description,
  }));
  return { words: verbs, files: false };
}

const PROGRAM: readonly Offer[] = [
  { value: 'help', description: 'print the help of a command' },
  { value: '--help', description: 'print this help' },
  { value: '--version', description: 'print the version' },
];

/** The command without flags and arguments: nothing follows `help app add`. */
function nameOnly(command: CommandGrammar): CommandGrammar {
  return { ...command, flags: [], arguments: [] };
}

async function within(
  command: CommandGrammar,
  words: readonly string[],
  current: string,
  lookUp: LookUp,
): Promise<Offers> {
  const { flags, operands, open, ended } = read(command, words);
  const typed = { command, flags };
  if (open !== null) return await valuesOf(open, '', current, typed, lookUp);
  if (current.startsWith('-') && !ended) {
    const [name = '', value] = current.split(/=(.*)/s);
    const flag = command.flags.find((one) => one.name === name && one.takesValue);
    if (value !== undefined)
      return flag === undefined ? NO_OFFERS : await valuesOf(flag, `${name}=`, value, typed, lookUp);
    return { words: command.flags.map(offerOf), files: false };
  }
  const argument = command.arguments[Math.min(operands, command.arguments.length - 1)];
  return argument === undefined ? NO_OFFERS : await valuesOf(argument, '', current, typed, lookUp);
}

function offerOf({ name, description }: Flag): Offer {
  return { value: name, description };
}

/** The values for one position, with the part of the same word in front of them. */
async function valuesOf(
  { words, files, lookUp: kind }: Candidates,
  prefix: string,
  current: string,
  typed: Typed,
  lookUp: LookUp,
): Promise<Offers> {
  const found = kind === null ? [] : await lookUp(kind, typed);
  const all = [...words.map((value) => ({ value, description: '' })), ...found];
  return {
    words: all.map(({ value, description }) => ({ value: prefix + value, description })),
    // `--source file=PATH`.
    files: files || (words.includes('file=') && current.startsWith('file=')),
  };
}

interface Read {
  readonly flags: Typed['flags'];
  /** Number of arguments so far. */
  readonly operands: number;
  /** The option whose value comes next. */
  readonly open: Flag | null;
  /** Whether there was a `--`, after which nothing is an option. */
  readonly ended: boolean;
}

function read(command: CommandGrammar, words: readonly string[]): Read {
  const flags: { flag: Flag; text: string }[] = [];
  let operands = 0;
  let open: Flag | null = null;
  let ended = false;
  for (const word of words) {
    if (open !== null) {
      flags.push({ flag: open, text: word });
      open = null;
    } else if (word === '--') ended = true;
    else if (ended || !word.startsWith('-') || word === '-') operands += 1;
    else {
      const [name = '', text] = word.split(/=(.*)/s);
      const flag = command.flags.find((one) => one.name === name || `-${one.short}` === name);
      if (flag === undefined) continue;
      if (text !== undefined || !flag.takesValue) flags.push({ flag, text: text ?? 'true' });
      else open = flag;
    }
  }
  return { flags, operands, open, ended };
}
