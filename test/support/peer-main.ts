/**
 * A program in a network namespace that serves and asks, as it is told. stdin: a request per line (`PeerRequest`);
 * stdout: a reply per line (`PeerReply`), in any order. TCP is HTTP, UDP is DNS, so that curl and dig can ask too.
 */

import { createSocket } from 'node:dgram';
import { createServer, get } from 'node:http';
import { createInterface } from 'node:readline';
import dnsPacket from 'dns-packet';
import type { Answer, Failure, PeerReply, PeerRequest, Question, Serving } from './peer.ts';

for await (const line of createInterface(process.stdin)) {
  const request: PeerRequest = JSON.parse(line);
  void ('serve' in request ? serve(request.serve) : ask(request.ask)).then((result) => {
    const reply: PeerReply = { id: request.id, result };
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  });
}
process.exit();

/** Answers on both protocols from that address, with its name and where the question came from. */
async function serve({ name, address, port }: Serving): Promise<Failure | undefined> {
  const answer = (client = '', clientPort = 0): string =>
    JSON.stringify({ backend: name, client: client.replace(/^::ffff:/, ''), clientPort } satisfies Answer);

  const http = createServer((request, response) => {
    const { remoteAddress, remotePort } = request.socket;
    response.setHeader('Connection', 'close');
    setTimeout(() => response.end(answer(remoteAddress, remotePort)), Number(request.url?.slice(1)));
  });
  const dns = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  dns.on('message', (message, { address: client, port: clientPort }) => {
    const { id = 0, questions = [] } = dnsPacket.decode(message);
    const answers = questions.map((question) => ({
      name: question.name,
      type: 'TXT' as const,
      ttl: 0,
      data: answer(client, clientPort),
    }));
    const flags = dnsPacket.AUTHORITATIVE_ANSWER;
    dns.send(dnsPacket.encode({ type: 'response', id, flags, questions, answers }), clientPort, client);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject).listen(port, address, resolve);
    });
    await new Promise<void>((resolve, reject) => {
      dns.once('error', reject).bind(port, address, resolve);
    });
    return undefined;
  } catch (error) {
    return { error: String(error), ms: 0 };
  }
}

/** The answer, or what came instead and after how long. */
async function ask(question: Question): Promise<Answer | Failure> {
  const started = performance.now();
  try {
    return JSON.parse(await (question.protocol === 'tcp' ? askHttp(question) : askDns(question)));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { error: code ?? message, ms: Math.round(performance.now() - started) };
  }
}

function askHttp({ address, port, localPort, timeoutMs = 20_000, waitMs = 0 }: Question): Promise<string> {
  return new Promise((resolve, reject) => {
    const from = localPort === undefined ? {} : { localPort };
    const options = { host: address, port, path: `/${waitMs}`, agent: false, ...from };
    const request = get(options, (response) => {
      response.setEncoding('utf8');
      let body = '';
      response.on('data', (text) => {
        body += text;
      });
      response.once('end', () => resolve(body)).once('error', reject);
    });
    request.once('error', reject);
    const timer = setTimeout(() => request.destroy(new Error('no answer')), timeoutMs);
    request.once('close', () => clearTimeout(timer));
  });
}

/** Connected, so that an ICMP error comes back as one of the socket. Asks again each second, as resolvers do. */
function askDns({ address, port, localPort = 0, timeoutMs = 20_000 }: Question): Promise<string> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const timers: NodeJS.Timeout[] = [];
  const answered = new Promise<string>((resolve, reject) => {
    const query = dnsPacket.encode({ type: 'query', id: 1, questions: [{ name: 'who', type: 'TXT' }] });
    const send = () => socket.send(query, (error) => error && reject(error));
    timers.push(setTimeout(() => reject(new Error('no answer')), timeoutMs));
    socket.once('error', reject);
    socket.once('message', (message) => {
      const [answer] = dnsPacket.decode(message).answers ?? [];
      resolve(answer?.type === 'TXT' ? String(answer.data) : '');
    });
    socket.bind(localPort, () =>
      socket.connect(port, address, () => {
        send();
        timers.push(setInterval(send, 1_000));
      }),
    );
  });
  return answered.finally(() => {
    for (const timer of timers) clearTimeout(timer);
    socket.close();
  });
}
