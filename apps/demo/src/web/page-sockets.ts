/** Takes the WebSockets of pages that the page server has served, and refuses all others. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { LivePages } from './live-pages.ts';
import { isOwnPage } from './local-requests.ts';
import { QUESTION_MAX } from './page-question.ts';

/** @param path of the socket, with the token in it */
export function acceptSockets(server: Server, path: string, pages: LivePages): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: QUESTION_MAX });
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on('error', () => {});
    const problem =
      request.url !== path ? '404 Not Found' : isOwnPage(request.headers) ? '' : '403 Forbidden';
    if (problem === '') {
      sockets.handleUpgrade(request, connection, head, (socket) => pages.add(socket));
    } else {
      const answer = `HTTP/1.1 ${problem}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
      connection.end(answer, () => connection.destroy());
    }
  });
}
