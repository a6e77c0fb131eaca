import { type CommandGrammar, type Flag, firstWords, type Known, summaryOf, type Words } from './grammar.ts';

/** What may stand where the last word stands. */
export interface Offers {
  readonly words: readonly Offer[];
  /** Whether a file may too. */
  readonly files: boolean;
}

export interface Offer {
  readonly value: string;
  readonly description: string;
}

/** A command line, as far as it is typed. */
export interface Typed {
  readonly command: CommandGrammar;
  /** The options before the last word, with their values. */
  readonly flags: readonly { readonly flag: Flag; readonly text: string }[];
}

/** Finds what is known elsewhere. Resolves with nothing where it cannot be found out. */
export type LookUp = (known: Known, typed: Typed) => Promise<readonly Offer[]>;

const NO_OFFERS: Offers = { words: [], files: false };

/**
 * What the last of the words, which may be empty, can become: commands, options, their values, arguments. The words
 * stand behind the program's name.
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
  if (first === 'help') return await allOffers(rest, current, commands.map(withoutMore), lookUp);
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

/** `help app add` ends there. */
function withoutMore(command: CommandGrammar): CommandGrammar {
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

/** The values of one place, with what stands before them in the same word. */
async function valuesOf(
  { words, files, known }: Words,
  prefix: string,
  current: string,
  typed: Typed,
  lookUp: LookUp,
): Promise<Offers> {
  const found = known === null ? [] : await lookUp(known, typed);
  const all = [...words.map((value) => ({ value, description: '' })), ...found];
  return {
    words: all.map(({ value, description }) => ({ value: prefix + value, description })),
    // `--source file=PATH`.
    files: files || (words.includes('file=') && current.startsWith('file=')),
  };
}

interface Read {
  readonly flags: Typed['flags'];
  /** How many arguments there are. */
  readonly operands: number;
  /** The option whose value comes next. */
  readonly open: Flag | null;
  /** Whether `--` stands before: what comes is no option. */
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
