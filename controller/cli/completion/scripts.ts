/**
 * The scripts of `marathon-ipvs completion SHELL`. They call `marathon-ipvs __complete WORDS…`, which prints a line
 * `VALUE<tab>DESCRIPTION` for each completion, and `:files` where a file is accepted.
 */

import type { Shell } from '../../config/arguments.ts';

/** Tells the script to complete file names too. */
export const FILES_LINE = ':files';

/** For bash 4 and later, with or without the package bash-completion. */
const bash = `# bash completion of marathon-ipvs: source <(marathon-ipvs completion bash)
_marathon_ipvs() {
  local cur=\${COMP_WORDS[COMP_CWORD]} words=() i last line files=
  # Readline splits --output=json into three words, and splits words at colons too.
  for (( i = 1; i <= COMP_CWORD; i++ )); do
    last=$(( \${#words[@]} - 1 ))
    if (( i > 1 )) && [[ \${COMP_WORDS[i]} == [=:] || \${COMP_WORDS[i-1]} == [=:] ]]; then
      words[last]+=\${COMP_WORDS[i]}
    else
      words+=("\${COMP_WORDS[i]}")
    fi
  done
  [[ $cur != [=:] ]] || cur=
  last=\${words[\${#words[@]}-1]}
  local before=\${last%"$cur"}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ${FILES_LINE} ]]; then files=1; continue; fi
    line=\${line%%$'\\t'*}
    COMPREPLY+=("\${line#"$before"}")
  done < <("\${COMP_WORDS[0]}" __complete "\${words[@]}" 2>/dev/null)
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
  elif [[ \${COMPREPLY[*]} == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -F _marathon_ipvs marathon-ipvs
`;

/** For zsh with its completion system (`compinit`). */
const zsh = `#compdef marathon-ipvs
# zsh completion of marathon-ipvs: marathon-ipvs completion zsh > "\${fpath[1]}/_marathon-ipvs"
_marathon-ipvs() {
  local -a found begun
  local line word files
  for line in "\${(@f)$("\${(Q)words[1]}" __complete "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    if [[ $line == ${FILES_LINE} ]]; then files=1; continue; fi
    word=\${\${line%%$'\\t'*}//:/\\\\:}
    if [[ $word == *= ]]; then begun+=("$word:\${line#*$'\\t'}"); else found+=("$word:\${line#*$'\\t'}"); fi
  done
  (( ! $#found )) || _describe word found
  (( ! $#begun )) || _describe word begun -S ''
  if [[ -n $files ]]; then compset -P '*='; _files; fi
}
# If autoloaded, this file is the function itself; if sourced, it only defines the function.
if [[ $funcstack[1] == _marathon-ipvs ]]; then _marathon-ipvs "$@"; else compdef _marathon-ipvs marathon-ipvs; fi
`;

/** For fish 3 and later. */
const fish = `# fish completion of marathon-ipvs: marathon-ipvs completion fish | source
# Runs once per command line, although several conditions below use the result.
function __marathon_ipvs_ask
    set -l line (commandline -cp)
    test "$line" = "$__marathon_ipvs_line"; and return
    set -g __marathon_ipvs_line $line
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -g __marathon_ipvs_found ($typed[1] __complete $typed[2..] "$current" 2>/dev/null)
end
# The running controller may have changed by the next prompt.
function __marathon_ipvs_forget --on-event fish_prompt
    set -e __marathon_ipvs_line
end
function __marathon_ipvs_files
    __marathon_ipvs_ask
    contains -- ${FILES_LINE} $__marathon_ipvs_found
end
function __marathon_ipvs_words
    __marathon_ipvs_ask
    string match -v -- ${FILES_LINE} $__marathon_ipvs_found
end
complete -c marathon-ipvs -n 'not __marathon_ipvs_files' -f
complete -c marathon-ipvs -n __marathon_ipvs_files -F
complete -c marathon-ipvs -a '(__marathon_ipvs_words)'
`;

/** The completion script of each shell. */
export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
