/**
 * How properties choose their cases. A test run tries the same ones every time, so that it fails for what was changed and
 * for nothing else; with `LONG_TESTS=yes` they are new ones and many more, for whoever has the time.
 */

import fc from 'fast-check';

const LONG = process.env['LONG_TESTS'] === 'yes';

fc.configureGlobal(LONG ? { numRuns: 20_000 } : { seed: 20_261_123 });
