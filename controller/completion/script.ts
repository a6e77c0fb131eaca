import type { Shell } from '../config/arguments.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { grammar } from './grammar.ts';
import { zshScript } from './zsh.ts';

/** The script that this shell reads: `marathon-ipvs completion SHELL`. */
export function completionScript(shell: Shell): string {
  const commands = grammar();
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
  }
}
