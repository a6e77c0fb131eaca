import type { Config } from '../../../config/config.ts';
import { type ForecastVip, forecast } from '../../../desired/forecast.ts';
import type { Translate } from '../../../desired/translate.ts';
import type { App, Rejection, Snapshot } from '../../../model.ts';
import { plural } from '../../../status/words.ts';
import { type AppPorts, mistakeText, vipsText } from './messages.ts';

/** What an app's VIPs depend on besides the app. */
export interface ForecastContext {
  /** Everything that runs there. */
  readonly cluster: Snapshot;
  /** As the controllers on the hosts will translate it. */
  readonly translate: Translate;
}

/**
 * Prints the VIPs that an app will have, and returns them; or prints what is wrong with it, and returns null. `to`: who would
 * be sent it.
 */
export function printForecast(
  app: App,
  { cluster, translate }: ForecastContext,
  to: string,
  { output }: Pick<Config, 'output'>,
  ports: AppPorts,
): readonly ForecastVip[] | null {
  const { vips, rejected, warnings } = forecast(app, cluster, translate);
  if (rejected.length > 0) return printMistakes(rejected, to, ports);
  for (const warning of warnings) ports.printError(`warning: ${warning}`);
  if (output === 'text') ports.print(`${vipsText(vips, ports)}\n`);
  return vips;
}

/** What is wrong with a new app whatever else runs there; it needs no request. */
export function mistakesOf(app: App, translate: Translate): readonly Rejection[] {
  return forecast(app, NOTHING, translate).rejected;
}

const NOTHING: Snapshot = { apps: [], rejected: [], warnings: [] };

/** Prints what is wrong, and that therefore nothing was sent. */
export function printMistakes(
  mistakes: readonly Rejection[],
  to: string,
  ports: Pick<AppPorts, 'printError'>,
): null {
  for (const mistake of mistakes) ports.printError(mistakeText(mistake));
  ports.printError(`nothing was sent to ${to}: ${plural(mistakes.length, 'mistake')}`);
  return null;
}
