/** How VitePress makes the site of the pages that `build.ts` gathers. */

import { version } from '../../../controller/config/version.ts';
import { linksIn } from '../markdown-links.ts';
import { slugOf } from '../page.ts';
import { repository } from '../repository.ts';
import { readSite } from '../site.ts';

const site = readSite(repository);

export default {
  title: 'marathon-ipvs',
  description: 'Keeps the names of DC/OS working after DC/OS',
  lang: 'en',
  srcDir: 'pages',
  outDir: '../../site',
  head: [['link', { rel: 'icon', href: '/icon.svg' }]],
  markdown: {
    // What a page has of HTML, and of the notations of other tools, is text as on GitHub.
    html: false,
    linkify: false,
    languageAlias: { nft: 'bash' },
    attrs: { disable: true },
    anchor: { slugify: slugOf },
    config: linksIn(site),
  },
  themeConfig: {
    logo: '/icon.svg',
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: site.navigation.map(({ title, links }) => ({
      text: title,
      items: links.map(({ label, href }) => {
        const target = href.startsWith('/files/') ? { target: '_self' } : {};
        return { text: label, link: href, ...target };
      }),
    })),
    footer: { message: `marathon-ipvs ${version()}` },
  },
};
