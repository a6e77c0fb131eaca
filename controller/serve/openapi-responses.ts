/** Answers that several operations of the OpenAPI description have. */

/** A body of one of these schemas of `components`. */
export function json(...names: readonly string[]): object {
  const [first, ...others] = names.map((name) => ({ $ref: `#/components/schemas/${name}` }));
  return { 'application/json': { schema: others.length === 0 ? first : { anyOf: [first, ...others] } } };
}

/** One that is no success. */
export function refused(description: string): object {
  return { description, content: json('Problem') };
}

/** Of an operation that is for whoever may read. */
export const READ_REFUSALS = {
  401: refused('Neither token nor certificate, or a wrong one.'),
  403: refused('The certificate has no name that is listed, or a page of another site made the browser ask.'),
  421: refused('The address is for clients of this host, and Host names another one.'),
  429: refused('Too many wrong tokens from this address.'),
};

export const WRITE_FORBIDDEN =
  'Writing is off at this controller, the token is for reading, the certificate has no name that is listed, or a page of another site made the browser ask.';

/** Of one that is for whoever may write, over loopback too. */
export const WRITE_REFUSALS = { ...READ_REFUSALS, 403: refused(WRITE_FORBIDDEN) };
