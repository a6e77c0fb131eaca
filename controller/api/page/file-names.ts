/** The page's files besides its HTML shell. */
export const PAGE_FILES = ['page.js', 'page.css', 'icon.svg'] as const;
export type PageFile = (typeof PAGE_FILES)[number];

/** The contents of each file. */
export type PageFiles = Readonly<Record<PageFile, string>>;
