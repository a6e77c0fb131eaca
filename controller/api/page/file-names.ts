/** What the page consists of besides its frame: one script, one style sheet and an icon. */
export const PAGE_FILES = ['page.js', 'page.css', 'icon.svg'] as const;
export type PageFile = (typeof PAGE_FILES)[number];

/** The text of each. */
export type PageFiles = Readonly<Record<PageFile, string>>;
