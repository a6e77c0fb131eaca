/** Where the browser begins. */

import { render } from 'preact';
import { html } from './html.ts';
import { listen } from './stream.ts';
import { applyTheme } from './theme.ts';
import { App } from './view/app.ts';

applyTheme();
void listen();
const root = document.getElementById('app');
if (root !== null) {
  root.replaceChildren();
  render(html`<${App} />`, root);
}
