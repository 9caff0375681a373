"""A trust community that a server is a member of, and the ways in which a partner can come by it."""

import itertools

import pki
import world

_numbers = itertools.count(1)


def fresh_uri():
    """A partner that nobody has heard of."""
    return f"https://partner-{next(_numbers)}.example.org/fhir"


class Community:
    """Root and intermediate, with lists that are in order; the server has a certificate of it."""

    def __init__(self, server, lists, title, options=(), server_key=None):
        self.server, self.lists = server, lists
        self.uri = f"https://{title}.example.org/community"
        self.root = pki.Authority.root(f"{title} root")
        self.root_list, self.list = lists.place(), lists.place()
        self.authority = self.root.below(f"{title} intermediate", path_length=0, crl=self.root_list)
        lists.put(self.root_list, self.root.crl())
        lists.put(self.list, self.authority.crl())
        own = self.leaf(server.fhir, key=server_key or pki.rsa_key(which=9), title="Server")
        server.join(self.uri, self.root, own, *options)

    def leaf(self, uri, by=None, listed=True, **options):
        """A certificate in order, of the intermediate or of another authority; `listed`: with a list in order."""
        if by is None and listed:
            options.setdefault("crl", self.list)
        return (by or self.authority).leaf(uri, **options)

    def below(self, title, of=None, **options):
        """Another intermediate below the root (or `of`), and the URL of the list of what it gives out."""
        authority = (of or self.root).below(title, crl=self.root_list if of is None else None, **options)
        return authority, self.lists.place(authority.crl())

    def with_list(self, made, **options):
        """A certificate with a list of its own: `made` gets the certificate and says what is served for it."""
        url = self.lists.place()
        uri = options.pop("uri", None) or fresh_uri()
        held = self.authority.leaf(uri, crl=url, **options)
        self.lists.put(url, made(held))
        return held

    def with_ocsp(self, made, **options):
        """A certificate without a list and with an OCSP responder of its own."""
        url = self.lists.place()
        held = self.authority.leaf(fresh_uri(), ocsp_url=url, **options)
        self.lists.put(url, made(held))
        return held

    def register(self, held=None, source=None, body=None, sign=None, app=False, uri=None, **claims):
        """Registers: in order, unless something is said. `claims` change the statement, `body` its envelope, `sign`
        how it is signed."""
        held = held or self.leaf(uri or fresh_uri())
        uri = uri or held.uri
        said = (world.app_statement if app else world.statement)(self.server, uri, **claims)
        return self.server.register(world.jws(said, held, **(sign or {})), source, **(body or {}))


class Client:
    """A registered partner."""

    def __init__(self, community, held=None, app=False, **claims):
        self.community, self.server = community, community.server
        self.held = held or community.leaf(fresh_uri())
        self.source = world.address()
        answer = community.register(self.held, self.source, app=app, **claims)
        assert answer.status == 201, f"not registered: {answer}"
        self.id = answer.json["client_id"]

    def again(self, app=False, **claims):
        """Registers once more."""
        return self.community.register(self.held, self.source, app=app, **claims)

    def ask(self, held=None, extension=None, sign=None, form=None, headers=None, **claims):
        """Asks for a token: in order, unless something is said."""
        said = world.assertion(self.server, self.id, extension, **claims)
        signed = world.jws(said, held or self.held, **(sign or {}))
        return self.server.ask(signed, headers, self.source, **(form or {}))
