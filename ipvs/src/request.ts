import { inContext, kernelError, type Operation } from './explain.ts';
import { type Message, message } from './message.ts';
import type { NetlinkSocket } from './netlink-socket.ts';
import { NLM_F } from './uapi.ts';

/**
 * Sends one message and resolves with its replies. A dump is repeated until no other writer disturbs it.
 *
 * Rejects with the `IpvsError` of `operation` if the kernel refuses the request, or if there is no answer.
 *
 * @param flags - NLM_F_* flags. REQUEST is added, and ACK unless it is a dump.
 * @param read - Converts each reply immediately: its memory is reused afterwards.
 */
export async function sendRequest<T>(
  socket: NetlinkSocket,
  operation: Operation,
  type: number,
  flags: number,
  payload: Uint8Array,
  read: (message: Message) => T,
): Promise<T[]> {
  // A dump ends with NLMSG_DONE, any other answer with the acknowledgement.
  const all = flags | NLM_F.REQUEST | ((flags & NLM_F.DUMP) === NLM_F.DUMP ? 0 : NLM_F.ACK);
  let replies: T[] = [];
  let refusal = 0;
  await socket
    .run(function* (turn) {
      do {
        replies = [];
        refusal = 0;
        yield {
          bytes: message(type, all, turn.seq, payload),
          last: turn.seq,
          data: (reply) => replies.push(read(reply)),
          failed: (_seq, errno) => {
            refusal = errno;
          },
        };
      } while (turn.interrupted);
    })
    .catch((cause) => {
      throw inContext(operation, cause);
    });
  if (refusal !== 0) throw kernelError(operation, refusal);
  return replies;
}
