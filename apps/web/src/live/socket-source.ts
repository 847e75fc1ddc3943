/** followSocket: a machine that runs, as the WebSocket of `viommu serve --web` and its like tells of it. */
import { decodeTold } from '@viommu/inspector';
import type { LiveSource } from './live-source.ts';
import { ToldSource } from './told-source.ts';

export function followSocket(
  socket: Pick<WebSocket, 'onmessage' | 'onclose' | 'send'>,
): LiveSource {
  const source = new ToldSource((query) => socket.send(JSON.stringify(query)));
  socket.onmessage = ({ data }) => source.take(decodeTold(String(data)));
  socket.onclose = ({ reason }) => {
    const lost =
      source.state.kind === 'connecting' ? 'there is no connection' : 'the connection is lost';
    source.end(reason === '' ? lost : reason);
  };
  return source;
}
