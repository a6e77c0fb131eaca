import { type CommandGrammar, type Flag, firstWords, summaryOf, type Words } from './grammar.ts';

/** For zsh with its completion system (`compinit`). */
export function zshScript(commands: readonly CommandGrammar[]): string {
  const first = [...firstWords(commands)];
  return `#compdef marathon-ipvs
# zsh completion of marathon-ipvs: marathon-ipvs completion zsh > "\${fpath[1]}/_marathon-ipvs"
_marathon-ipvs() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${first.map(([word, members]) => `      ${described(word, summaryOf(word, members))}`).join('\n')}
    )
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${first.map(([word, members]) => groupCase(word, members)).join('\n')}
  esac
}
# Read by autoload it is the function itself; sourced, it is only defined.
if [[ $funcstack[1] == _marathon-ipvs ]]; then _marathon-ipvs "$@"; else compdef _marathon-ipvs marathon-ipvs; fi
`;
}

function groupCase(word: string, members: readonly CommandGrammar[]): string {
  const [only] = members;
  if (only !== undefined && only.path.length === 1) return `    ${word})\n${argumentsOf(only, '      ')} ;;`;
  return `    ${word})
      if (( CURRENT == 2 )); then
        local -a commands=(
${members.map(({ path, description }) => `          ${described(path[1] ?? '', description)}`).join('\n')}
        )
        _describe command commands
        return
      fi
      shift words
      (( CURRENT-- ))
      case $words[1] in
${members.map((member) => `        ${member.path[1]})\n${argumentsOf(member, '          ')} ;;`).join('\n')}
      esac ;;`;
}

function argumentsOf({ argument, flags }: CommandGrammar, indent: string): string {
  const specs = [...flags.map(flagSpec), ...(argument === null ? [] : [`'*:argument:${action(argument)}'`])];
  return [`${indent}_arguments -s`, ...specs].join(` \\\n${indent}  `);
}

function flagSpec(flag: Flag): string {
  const { name, short, description, takesValue } = flag;
  const value = takesValue ? `:value:${action(flag)}` : '';
  const text = `[${escaped(description)}]${value}`;
  const equals = takesValue ? '=' : '';
  if (short === null) return quoted(`*${name}${equals}${text}`);
  return `'(-${short} ${name})'{-${short},${name}${equals}}${quoted(text)}`;
}

function action({ words, files }: Words): string {
  if (files && words.length > 0) return `{ _files; compadd ${words.join(' ')} }`;
  if (files) return '_files';
  return words.length > 0 ? `(${words.join(' ')})` : ' ';
}

function described(word: string, description: string): string {
  return quoted(`${word}:${description.replaceAll(':', '\\:')}`);
}

function escaped(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
