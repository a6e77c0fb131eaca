import type { Config } from '../../../config/config.ts';
import { type ForecastVip, forecast } from '../../../desired/forecast.ts';
import type { Translate } from '../../../desired/translate.ts';
import type { App, Rejection } from '../../../model/app.ts';
import type { Snapshot } from '../../../model/snapshot.ts';
import { plural } from '../../../status/format.ts';
import { type AppPorts, mistakeText, vipsText } from './messages.ts';

/** What an app's VIPs depend on besides the app itself. */
export interface ForecastContext {
  /** All apps of the cluster. */
  readonly cluster: Snapshot;
  /** The translation that the controllers on the hosts use. */
  readonly translate: Translate;
}

/**
 * Prints the VIPs that an app will have, and returns them; or prints the app's mistakes, and returns null. `to` names the
 * server that the app would be sent to.
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

/** The mistakes of a new app that do not depend on other apps, so that finding them needs no request. */
export function mistakesOf(app: App, translate: Translate): readonly Rejection[] {
  return forecast(app, NOTHING, translate).rejected;
}

const NOTHING: Snapshot = { apps: [], rejected: [], warnings: [] };

/** Prints the mistakes, and that nothing was sent. */
export function printMistakes(
  mistakes: readonly Rejection[],
  to: string,
  ports: Pick<AppPorts, 'printError'>,
): null {
  for (const mistake of mistakes) ports.printError(mistakeText(mistake));
  ports.printError(`nothing was sent to ${to}: ${plural(mistakes.length, 'mistake')}`);
  return null;
}
