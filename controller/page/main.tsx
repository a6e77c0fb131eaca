/** The entry point in the browser. */

import { options, render } from 'preact';
import { escapeNode } from './escape.ts';
import { listen } from './stream.ts';
import { applyTheme } from './theme.ts';
import { App } from './view/app.tsx';

options.vnode = escapeNode;
applyTheme();
void listen();
const root = document.getElementById('app');
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
}
