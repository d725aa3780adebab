import { it } from "vitest";

import { survivesAnyInput } from "../../../test/survives.ts";
import { resourceFormats } from "./formats.ts";

const seeds = [
  "total 0\nlrwx------ 1 root root 64 Nov 28 02:10 0 -> /dev/null\nlrwx------ 1 root root 64 Nov 28 02:10 7 -> socket:[48251]\nl-wx------ 1 a b 64 Nov 28 02:10 8 -> /var/log/app-17.log (deleted)\nlrwx------ 1 root root 64 Nov 28 02:10 9 -> anon_inode:[eventpoll]\n",
  "COMMAND   PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\nnode    12345 app    18u  IPv4 123456      0t0  TCP 10.0.0.1:51000->10.0.0.9:5432 (ESTABLISHED)\nnode    12345 app    19r   REG  259,1     4096 1234 /tmp/a b.txt (deleted)\nnode 12345 app cwd DIR 259,1 4096 2 /\n",
  'State      Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\nLISTEN 0 128 0.0.0.0:8080 0.0.0.0:*\nCLOSE-WAIT 1 0 [::ffff:10.0.0.1]:8080 [::ffff:10.0.0.2]:41234 users:(("app",pid=1,fd=2))\n',
  "Active Internet connections (servers and established)\nProto Recv-Q Send-Q Local Address Foreign Address State PID/Program name\ntcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN -\ntcp6 1 0 10.0.0.1:40000 10.0.0.2:443 CLOSE_WAIT 12/app\n",
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1\n   1: 0100007F:C350 0900000A:1538 08 00000000:00000000 00:00000000 00000000  1000        0 12346 1\n",
  '{"header":{"nodejsVersion":"v24.1.0","dumpEventTimeStamp":"1795832216570","osName":"Linux"},"javascriptHeap":{"usedMemory":5,"heapSizeLimit":9},"libuv":[{"type":"tcp","is_active":true,"remoteEndpoint":{"host":"db","ip4":"10.0.0.9","port":5432}},{"type":"timer","is_active":false},{"type":"loop"}]}',
  '{"total_heap_size":1,"used_heap_size":2,"heap_size_limit":3}',
  '{"rss":1,"heapTotal":2,"heapUsed":3,"external":4,"arrayBuffers":5}',
  '["TCPSocketWrap","Timeout","Timeout"]',
] as const;

it("ends in what is held or in a named fault for any input", () => {
  survivesAnyInput(resourceFormats, seeds);
});
