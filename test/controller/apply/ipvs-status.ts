/** `/proc/net/ip_vs_status` as Linux 7.2.13 writes it. */

/** With one service and no connection. */
export const STATUS_IDLE = `Conns:	0
Conn buckets:	256 (8 bits, lfactor -4)
Services:	1
Service buckets:	16 (4 bits, lfactor -3)
Service buckets empty:	15 (93%)
Service buckets len-1:	1 (100%)
Stats thread slots:	1 (max 8)
Stats chain max len:	51
Stats thread ests:	122400
`;

/** In a network namespace that never had a service. */
export const STATUS_NEW = `Conns:	0
Conn buckets:	0 (0 bits, lfactor 0)
Services:	0
Service buckets:	0 (0 bits, lfactor 0)
Stats thread slots:	1 (max 0)
Stats chain max len:	0
Stats thread ests:	0
`;

/** With 300 NAT connections, which are two entries each. */
export const STATUS_BUSY = `Conns:	300
Conn buckets:	4096 (12 bits, lfactor -4)
Conn buckets empty:	3536 (86%)
Conn buckets len-1:	524 (93%)
Conn buckets len-2:	32 (5%)
Conn buckets len-3:	4 (0%)
Services:	1
Service buckets:	16 (4 bits, lfactor -3)
Service buckets empty:	15 (93%)
Service buckets len-1:	1 (100%)
Stats thread slots:	1 (max 8)
Stats chain max len:	116
Stats thread ests:	278400
`;
