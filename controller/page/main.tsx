/** The entry point in the browser. */

import { options, render } from 'preact';
import { showVisibly } from './shown.ts';
import { listen } from './stream.ts';
import { applyTheme } from './theme.ts';
import { App } from './view/app.tsx';

options.vnode = showVisibly;
applyTheme();
void listen();
const root = document.getElementById('app');
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
}
