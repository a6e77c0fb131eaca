/** A table as `ipvsadm -Sn` prints it, taken apart. */

export interface PrintedService {
  /** `-s wlc -p 60`. */
  readonly settings: string;
  readonly backends: ReadonlyMap<string, PrintedBackend>;
  /** All its lines, to tell whether anything at all is otherwise. */
  readonly text: string;
}

export interface PrintedBackend {
  readonly weight: number;
  /** `-m`, and whatever else stands there besides the weight. */
  readonly rest: string;
}

/** `tcp/11.0.0.1:80`, or `-f 7` for a firewall mark. */
export type Printed = ReadonlyMap<string, PrintedService>;

const PROTOCOLS: Readonly<Record<string, string>> = { '-t': 'tcp', '-u': 'udp', '--sctp-service': 'sctp' };

export function readPrinted(text: string): Printed {
  const services = new Map<
    string,
    { settings: string; backends: Map<string, PrintedBackend>; text: string }
  >();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [op, flag = '', where = '', ...rest] = line.trim().split(/ +/);
    const protocol = PROTOCOLS[flag];
    const key = protocol === undefined ? `${flag} ${where}` : `${protocol}/${where}`;
    const service = services.get(key) ?? { settings: '', backends: new Map(), text: '' };
    services.set(key, service);
    if (op === '-A') {
      service.settings = rest.join(' ');
      service.text = `${line}\n${service.text}`;
      continue;
    }
    const [, endpoint = '', ...options] = rest;
    const at = options.indexOf('-w');
    const [, weight] = options.splice(at, 2);
    service.backends.set(endpoint, { weight: Number(weight), rest: options.join(' ') });
  }
  for (const service of services.values()) {
    const lines = [...service.backends].map(([at, { weight, rest }]) => `  ${at} -w ${weight} ${rest}\n`);
    service.text += lines.sort().join('');
  }
  return services;
}

/** Whether a client would be sent to some backend. */
export function forwards(service: PrintedService | undefined): boolean {
  return [...(service?.backends.values() ?? [])].some(({ weight }) => weight > 0);
}
