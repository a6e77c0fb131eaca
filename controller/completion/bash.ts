import { type CommandGrammar, type Flag, firstWords, type Words } from './grammar.ts';

/** For bash 4 and later, with or without the package bash-completion. */
export function bashScript(commands: readonly CommandGrammar[]): string {
  const first = firstWords(commands);
  const groups = [...first].filter(([, members]) => members.some(({ path }) => path.length > 1));
  return `# bash completion of marathon-ipvs: source <(marathon-ipvs completion bash)
_marathon_ipvs() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= words= files=
  COMPREPLY=()
  # Readline takes --output=json for three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if (( COMP_CWORD > 1 )); then command=\${COMP_WORDS[1]}; fi
  case $command in
    ${groups.map(([word]) => word).join('|')}) if (( COMP_CWORD > 2 )); then command+=" \${COMP_WORDS[2]}"; fi ;;
  esac
  case $command in
    '') words='${[...first.keys()].join(' ')} help --help --version' ;;
${groups.map(([word, members]) => `    ${word}) words='${members.map(({ path }) => path[1]).join(' ')}' ;;`).join('\n')}
${commands.map(commandCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    local file
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$cur")
  fi
}
complete -F _marathon_ipvs marathon-ipvs
`;
}

function commandCase({ path, argument, flags }: CommandGrammar): string {
  const valued = flags.filter(({ takesValue }) => takesValue);
  const plain = argument ?? { words: [], files: false };
  const names = flags.map(({ name }) => name).join(' ');
  return `    '${path.join(' ')}')
      case $prev in
${valued.map((flag) => `        ${patternOf(flag)}) ${set(flag)} ;;`).join('\n')}
        *) if [[ $cur == -* ]]; then words='${names}'; else ${set(plain)}; fi ;;
      esac ;;`;
}

function patternOf({ name, short }: Flag): string {
  return short === null ? name : `${name}|-${short}`;
}

function set({ words, files }: Words): string {
  return `words='${words.join(' ')}'${files ? ' files=1' : ''}`;
}
