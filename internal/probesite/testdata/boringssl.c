/* What BoringSSL's functions look like from outside: whom they call, and which
 * errors they report.
 */
#define ERROR(reason) put_error(16, 0, reason, "vendor/ssl/ssl_lib.cc", __LINE__)
#ifdef __clang__
#define OUTSIDE __attribute__((noinline))
#else
#define OUTSIDE __attribute__((noipa))
#endif

struct session {
	int quic, init, pending;
	char text[64];
};

OUTSIDE void put_error(int library, int unused, int reason, const char *file, unsigned line)
{
	__asm__ volatile("" ::"r"(library), "r"(unused), "r"(reason), "r"(file), "r"(line)
			 : "memory");
}

OUTSIDE int SSL_do_handshake(struct session *s)
{
	if (!s->init) {
		ERROR(134);
		return -1;
	}
	return 1;
}

OUTSIDE int read_record(struct session *s)
{
	if (!s->init) {
		ERROR(226);
		return -1;
	}
	if (!SSL_do_handshake(s)) {
		ERROR(215);
		return -1;
	}
	return 1;
}

PEEK int SSL_peek(struct session *s, char *buf, int n)
{
	int ret;

	if (s->quic) {
		ERROR(66);
		return -1;
	}
	ret = read_record(s);
	if (ret <= 0)
		return ret;
	for (int i = 0; i < n; i++) {
		buf[i] = s->text[i];
		__asm__ volatile("");
	}
	return n;
}

OUTSIDE int SSL_read(struct session *s, char *buf, int n)
{
	int ret = SSL_peek(s, buf, n);

	if (ret <= 0)
		return ret;
	s->pending -= ret;
	return ret;
}

OUTSIDE int SSL_write(struct session *s, const char *buf, int n)
{
	if (s->quic) {
		ERROR(66);
		return -1;
	}
	if (!s->init) {
		ERROR(226);
		return -1;
	}
	if (n < 0) {
		ERROR(111);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		s->text[i] = buf[i];
		__asm__ volatile("");
	}
	return SSL_do_handshake(s);
}

OUTSIDE struct session *SSL_new(struct session *context)
{
	if (!context) {
		ERROR(185);
		return 0;
	}
	return context;
}

int main(int argc, char **argv)
{
	static struct session s;
	struct session *made = SSL_new(argc ? &s : 0);

	return SSL_read(made, argv[0], argc) + SSL_write(made, argv[0], argc) +
	       SSL_peek(made, argv[0], argc);
}
