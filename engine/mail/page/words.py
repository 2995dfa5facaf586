"""How people write `@` and `.` in words, and words of prose that stand before an `at` without being a mailbox."""

from __future__ import annotations

AT_WORDS = """
at arroba arobase arobas chiocciola chiocciolina klammeraffe ät aet malpa małpa zavinac zavináč apenstaartje apestaartje
apenstaart apestaart chez
snabel-a snabela snabel kukac собака гав эт アット アットマーク 골뱅이 圈a at-sign atsign at-zeichen ätt miukumauku papaki
παπάκι majmun afna bei @
""".split()
AT_WORDS.append("at sign")
"""The at sign in words, to be read between brackets."""
BARE_AT_WORDS = "at arroba arobase chiocciola".split()

DOT_WORDS = """
dot punkt punto ponto point pont kropka tecka tečka bodka bod punct punt точка тчк piste prick nokta tocka točka pika ドット
점 닷 点 τελεία teleia doht d0t period . •
""".split()
"""The dot in words, to be read between brackets."""
BARE_DOT_WORDS = "dot punkt punto ponto point kropka tečka tecka bodka pont punct точка piste nokta točka".split()

DASH_WORDS = "dash hyphen minus bindestrich tiret guion guión hífen hifen trattino streepje -".split()
UNDERSCORE_WORDS = "underscore unterstrich underline tiret-bas guion-bajo _".split()

CUES = """
e-mail email mail mailto contact kontakt kontaktieren contacto contatto contato courriel correo correio adresse address adres
indirizzo mejl e-post epost eposta e-posta pošta posta почта почту эл.почта mél mel skype jabber xmpp pgp gpg write schreiben
""".split()
"""Words that announce an address when a colon follows."""

# Common before "at" in prose; never meant as a mailbox.
NEVER_LOCALS = frozenset(
    """
    a about above act ahead aim all also am amazed an and angry any anyone anything appear appears are arrive arrived arrives
    as ask at available away back based be because been before begin begins behind being best better bid blog book born both
    browse buy by call came can chat check checkout click come comes compared could date day days delivered did discover
    discovered do does done down download each early eat email emailed ended ends engineer enjoy enough enrolled especially
    even ever everyone everything excel exhibited expert explore fans far featured few find first follow following for found
    free friends from game gather gathered get glance go goes good great grew had happen happening happens hard has have he
    held her here hers herself him himself his home hosted hours how i if in inside instead interested is it item items its
    itself job join joined jump just keep kept laugh laughed launched learn learned less like listed listen live lives located
    login look looked looking looks lot love made make many may maybe me meet meeting meets member met min minutes mine money
    more most much must my myself near need never new newer next nice night no none not nothing now of off offered often ok
    old on once one online only open opened opening opens operates or order our ours out over own page parked part people per
    perform performed person photo photos place play played playing please pm point pointed points posted present presented
    price priced prices produced professor published put quick rate rates read reading record register registered rent
    research researcher right run running runs said sale sat save say says scheduled scientist see seen sell sells serve
    served sets she shop shopping should show shown shows sign since sit site sits sleep sold some someone something soon
    speak spend spent spoke stand start started starting starts stay stayed stays still stock stop stopped student studied
    studies study such surprised swim take taken taught teach teaches teaching tech text than that the their theirs them
    themselves then there these they thing things this those through thrown tickets time times to today together tomorrow
    tonight too took top tour train trained trust try twitter until up updated upon us use used user version very via view
    visit visited volunteer volunteered wait waiting want was watch watched way we week weeks welcome well went were what when
    where which while who why will with within without work worked working works worth would write written wrote yelled yes
    yesterday yet you young your yours yourself
    """.split()
)
# Mailboxes of offices and words of prose alike: they need more than standing before "at".
SOMETIMES_LOCALS = frozenset(
    """
    info contact office team support service sales press news events jobs careers career shop store booking bookings
    reservations reservation order orders customers customer help desk hello hi media marketing people staff community
    partners partner learning training education school library museum hotel restaurant bar cafe club studio gym spa billing
    finance legal security privacy feedback research science lab design admin management director manager ceo cto cfo
    president founder owner head editor author
    """.split()
)
NEVER_DOMAINS = frozenset(
    """
    a all an any best first her his home it its large last least my night no noon once one our that the their this what which
    work your
    """.split()
)
"""A first label that tells prose: "look at this dot com"."""
