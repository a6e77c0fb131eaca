/** What everybody must be able to see. */

import type { Page } from 'playwright-core';

/** How people look at a page: by colours and width. */
export const WAYS = [
  { way: 'light-wide', dark: false, width: 1_280 },
  { way: 'dark-wide', dark: true, width: 1_280 },
  { way: 'light-narrow', dark: false, width: 390 },
  { way: 'dark-narrow', dark: true, width: 390 },
];

export interface Look {
  /** By how many pixels the page is wider than its window. */
  readonly tooWide: number;
  /** Texts whose contrast is below 4.5 : 1 (WCAG AA). */
  readonly pale: readonly string[];
}

export async function look(page: Page): Promise<Look> {
  return await page.evaluate(LOOK);
}

const LOOK = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const luminance = ([r, g, b]) => { const l = [r, g, b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
  const paper = (element) => { for (let e = element; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
  const pale = new Set();
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join(' ').trim();
    if (text === '' || !element.checkVisibility() || element.closest(':disabled, option, title')) continue;
    const [a, b] = [luminance(rgba(getComputedStyle(element).color)), luminance(paper(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) pale.add(text.slice(0, 30) + ' ' + contrast.toFixed(2));
  }
  const root = document.documentElement;
  return { tooWide: Math.max(0, root.scrollWidth - root.clientWidth), pale: [...pale] };
})()`;
