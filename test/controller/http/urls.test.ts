import { describe, expect, test } from '@jest/globals';
import { redirected, shownTarget } from '../../../controller/http/urls.ts';

describe('the target of a redirect', () => {
  test.each([
    ['https://joe:secret@login.example/in?token=secret#secret', 'https://login.example/in'],
    ['//joe:secret@login.example/in?token=secret', '//login.example/in'],
    ['https://joe:se@cret@login.example', 'https://login.example'],
    ['/login?redirect=http://a@b&token=secret', '/login'],
    ['?token=secret', ''],
    ['/in/a@b', '/in/a@b'],
  ])('%s is printed as "%s"', (location, text) => expect(shownTarget(location)).toBe(text));

  test.each(['http://joe:secret@:99999/?token=secret', 'http://joe:secret@010.0.0.9/?token=secret'])(
    'that is refused is printed without secrets: %s',
    (location) => {
      const follow = () => redirected(location, new URL('http://10.0.0.1'));
      expect(follow).toThrow(/^redirected to "http:\/\/[^@?]*", which is not a URL$/);
    },
  );
});
