import { type CommandGrammar, type Flag, firstWords, summaryOf } from './grammar.ts';

/** For fish 3 and later. */
export function fishScript(commands: readonly CommandGrammar[]): string {
  const first = [...firstWords(commands)];
  const groups = first.filter(([, members]) => members.some(({ path }) => path.length > 1));
  return `# fish completion of marathon-ipvs: marathon-ipvs completion fish | source
# Whether the words so far begin with these.
function __marathon_ipvs_in
    set -l typed (commandline -opc)
    set -l last (math 1 + (count $argv))
    test (count $typed) -ge $last; and test "$typed[2..$last]" = "$argv"
end
# Whether they are these, and no more.
function __marathon_ipvs_at
    set -l typed (commandline -opc)
    test (count $typed) -eq (math 1 + (count $argv)); and test "$typed[2..]" = "$argv"
end
complete -c marathon-ipvs -f
${first.map(([word, members]) => offer('', word, summaryOf(word, members))).join('\n')}
${groups.flatMap(([word, members]) => members.map(({ path, description }) => offer(word, path[1] ?? '', description))).join('\n')}
${commands.flatMap(commandLines).join('\n')}
`;
}

function offer(after: string, word: string, description: string): string {
  return `complete -c marathon-ipvs -n '__marathon_ipvs_at ${after}' -a ${word} -d ${quoted(description)}`;
}

function commandLines({ path, argument, flags }: CommandGrammar): readonly string[] {
  const when = `complete -c marathon-ipvs -n '__marathon_ipvs_in ${path.join(' ')}'`;
  const files = argument?.files === true ? [`${when} -F`] : [];
  const words =
    argument === null || argument.words.length === 0 ? [] : [`${when} -a '${argument.words.join(' ')}'`];
  return [...files, ...words, ...flags.map((flag) => `${when} ${flagText(flag)}`)];
}

function flagText({ name, short, description, takesValue, words, files }: Flag): string {
  const parts = [
    `-l ${name.slice(2)}`,
    ...(short === null ? [] : [`-s ${short}`]),
    ...(takesValue ? [files ? '-r -F' : '-x'] : []),
    ...(words.length === 0 ? [] : [`-a '${words.join(' ')}'`]),
    `-d ${quoted(description)}`,
  ];
  return parts.join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
