"""What mail servers write when they refuse a recipient, in the languages of the big providers, by what it means."""

from __future__ import annotations

# One phrase a line, in lower case. (a|b) is either, "…" up to forty characters of the same sentence. Accents may be missing from
# a reply, or spelled out (ü as ue), or broken by a wrong character set: whoever searches takes care of that.

LISTED_BY = """
spam(haus|cop|rl)
abusix
sorbs
uceprotect
surbl
barracudacentral
invaluement
mailspike
sender(score|base)
talosintelligence
cloudmark
ipcheck.proofpoint
proofpoint.com/dnsbl
mail-abuse
anti-spam.org
junkemailfilter
dnsbl
dnsrbl
sbrs
tss0
[cs0
[hm0
s3140
s3150
(sc|dy|ou)-00
"""
"""Block lists, reputation services and the providers' own block codes; they stand in links and host names too."""

ABOUT_SENDER = """
sender (address|rejected|denied|blocked|is|not|unknown|invalid|verif|domain|policy)
sender (id |has|ip|host|reputation|authent|does not|email|mail)
(invalid|unknown|bad|blocked|banned|unverified|unauthenticated) sender
sender's (address|domain|ip|server)
sending (ip|host|server|domain|mta|mail server)
domain of (the |)sender
banned
mail from
(from|envelope|return) (address|domain|from|path)
from your
return-path
originating
call(out|back)
verification failed
(helo|ehlo)
client (host|rejected|blocked|not|ip)
your (host|ip|server|network|domain|mail server|client|reverse|isp|connection|provider)
remote (host|server|ip)
reverse (dns|hostname|lookup|record)
(rdns|ptr record|ptr lookup|no ptr|missing ptr|hostname lookup|bad dns)
absender
expéditeur
remitente
mittente
remetente
(adresse|dirección|endereço|indirizzo) ip
ip(-| )adresse
"""

BLOCKED = """
(black|block|deny)(-| |)list
block listed
blocked (by|for|from|due|because|using|at|-)
(is|are|been|was|ip|message|mail|email|connection|temporarily|permanently) blocked
reputation
access (denied|refused|not allowed)
rela(y|ying) (access|denied|is denied|not|is not|is prohibited|prohibited|rejected)
(no|not|not a|unable to|cannot|can't|may not|permitted to|refusing to|not allowed to|open) relay
rcpthosts
authentication (required|is required|failed)
must (be |)authenticate
not authenticated
unauthenticated
authenticate first
login first
starttls
administrative(ly| prohibition)
prohibited
polic(y|ies)
forbidden
not (authori|permitted|allowed)
unauthori
permission denied
(spf|dkim|dmarc)
spamm(er|ing)
spam (detected|content|message|source|filter|rule)
(source of|for|as|like|is|considered|suspected|be|contains) spam
junk mail
unsolicited
suspicious
(virus|malware|phishing|botnet)
(dynamic|residential) (ip|address|range|host|client)
dial(-|)up
open proxy
not accept(ing|) (any |)(e-|)(mail|message|messages|email|connections) from
only accepts (e-|)mail from
restricted to
you are not
you don't have permission
liste noire
(accès|relais) refusé
(bloqué|refusé|rejeté) (par|pour|car)
(été|est) bloqué
service refusé
politique
authentification
indésirable
lista (negra|nera)
(acceso|acesso) (denegado|negado)
accesso negato
rechazad(o|a) por
reje(i|)tad(o|a) por
rifiutat(o|a) (per|da)
política
(reputación|reputação|reputazione)
autentica(ción|ção|zione)
bloquead(o|a) p
sido bloquead
bloccat(o|a)
schwarze(n|) liste
sperrliste
blockiert
ip…gesperrt
zugriff verweigert
richtlinie
abgelehnt wegen
authentifizierung
"""

PERHAPS_BLOCKED = """
(message|mail|email|content|connection|service|transaction) (rejected|refused|denied|was rejected|was refused)
(rejected|refused|blocked|denied) (by|for|due)
transaction failed due
blocked
spam
security
(mail|message|courrier) (rejeté|refusé)
(mensaje|correo|mensagem|messaggio) (rechazad|rejeitad|rifiutat)
bloqu(é|ead)
(abgelehnt|abgewiesen)
"""
"""Said of us unless the reply says something clear about the recipient."""

RATE_LIMITED = """
too many (connections|concurrent|sessions|simultaneous|recipients|messages|mails|emails|errors|invalid|bad|unknown|rcpt|commands)
too much mail
concurrent connections
connection (limit|rate)
rate(-| |)limit
rate exceeded
sending (rate|limit)
excessive (volume|number|rate)
unusual rate
throttl
slow down
server (is |)(too |)busy
trop de (connexions|messages)
demasiad(as conexiones|os mensajes)
troppe connessioni
muitas conexões
zu viele (verbindungen|nachrichten)
"""

BUSY = """
receiving (mail|messages|email) (at a rate|too quickly)
receiving too many messages
too quickly
"""

GREYLISTED = """
gr(e|a)y(-| |)list
(post|sql)grey
"""

TRY_AGAIN = """
temporar(y|ily) (deferred|rejected|failure|unavailable|error|problem|lookup|local|server|disabled|not available)
(deferred|deferring)
try (again|later)
retry (later|in|timeout)
come back
(réessayer|essayer plus tard|ultérieurement)
(inténtelo|intente|reintente|más tarde)
(riprov|più tardi)
(tente novamente|mais tarde)
(später|erneut versuchen)
"""

NO_MAIL = """
null(-| |)mx
(does not|doesn't) (accept|receive) (any |)(e-|)mail
(does not|doesn't) (accept|receive) email
domain accepts no mail
not accept mail for this domain
n'accepte pas de courrier
no acepta correo
non accetta posta
não aceita e-mail
nimmt keine (e-|)mails an
"""

NO_SMTPUTF8 = """
smtputf8
non-ascii (address|recipient)
internationali(z|s)ed (address|email|e-mail)
utf-8 address
eai not supported
"""

TOO_LARGE = """
(message|mail|file) (size|length)
(message|mail) (is |)too (large|big|long)
message exceeds
sizelimit
fixed maximum
taille (du message|maximale)
tamaño del mensaje
dimensione del messaggio
tamanho da mensagem
nachricht…zu groß
nachrichtengröße
"""

SERVER_FULL = """
system (storage|resources)
insufficient system
disk full
no space left
not enough space on
queue file write
"""

FULL = """
over(-| |)quota
over (its|their|his|her|the|disk|storage|mailbox) quota
quota (exceed|limit|has been|is full|full|violation|reached)
exceed(ed|s|)…(quota|storage|allocation)
out of (storage|space|disk)
not enough (storage|space|disk)
insufficient (storage|disk|space|mailbox)
(mailbox|mail box|inbox|mailfolder|folder|account)…(is full| full)
full (mailbox|inbox)
storage (limit|space|allocation)
(boîte|messagerie|compte)…plein
quota…(dépassé|atteint)
dépassement de quota
espace…insuffisant
(buzón|casilla|bandeja)…llen(o|a)
cuota…(excedid|superad)
(excedido|superado)…cuota
sin espacio
espacio…insuficiente
(casella|mailbox)…piena
quota…superat
spazio…(esaurit|insufficiente)
caixa…cheia
(cota|quota)…excedid
espaço insuficiente
sem espaço
(postfach|mailbox|posteingang)…(voll|überfüllt)
(quota|kontingent)…(überschritten|erschöpft)
speicherplatz…(überschritten|erschöpft|aufgebraucht|voll)
"""

DISABLED = """
disabled
deactivated
discontinued
(inactive|not active|no longer active)
suspended
no longer (valid|in use|available|on server|works|employed|accept|exists|here|with us)
(account|mailbox|address|user|recipient) (is |has been |was |)(closed|locked|expired|blocked|terminated|cancelled|retired|frozen)
désactivé
suspendu
(compte|boîte|adresse)…(fermé|clôturé|résilié|supprimé)
inactif
n'est plus (active|actif|valide|utilisé|en service)
(desactivad|deshabilitad|inhabilitad|suspendid|inactiv)(o|a)
dad(o|a) de baja
cuenta (cancelada|cerrada|bloqueada|eliminada)
ya no es válid
(disabilitat|disattivat|sospes|inattiv)(o|a)
non più (attiv|valid)
(account|casella) (chius|cancellat)
(desabilitad|desativad|inativ|suspens)(o|a)
conta (encerrada|cancelada|bloqueada|excluída)
não é mais válid
(deaktiviert|inaktiv|stillgelegt|abgeschaltet)
(postfach|konto|account|mailbox|adresse)…(gesperrt|geschlossen|gekündigt|gelöscht)
nicht mehr (gültig|aktiv|erreichbar|in betrieb)
"""

NOT_FOUND = """
(user|recipient|address|account|mailbox|addressee|alias|person|rcpt) (is |was |)unknown
unknown (user|recipient|address|mailbox|account|local|email|e-mail|alias|rcpt|virtual|or illegal)
unknown to address
(recipient|address) address unknown
no such (user|mailbox|recipient|person|account|address|local|email|e-mail|id|contact|alias|name|customer)
no (user|mailbox|account|valid recipient)
not a (known|valid|local|registered|real|recognized) (user|recipient|mailbox|address|email|e-mail|account)
not (our customer|known here)
user (is |)not known
(do|does|did) not exist
(don't|doesn't|doesnt|didn't) exist
not exist
(non|non-|non )exist(e|a)nt
(mailbox|user|recipient|account|address|email|alias|person)…not (be |)found
mailbox not available
invalid (recipient|mailbox|user|address|account|email|e-mail)
(recipient|mailbox|user|account|email)(s|) (is |are |address |)invalid
(address|recipient)(es|s|) (is |are |)(invalid|not valid)
unrout(e|)able
undeliverable address
bad destination mailbox
bad recipient
not (present|found|listed) in (the |domino |)(directory|address)
(cannot|could not|couldn't|can't) find (recipient|user|mailbox|the recipient|the user)
recip(ient|)notfound
(local recipient|relay recipient|virtual mailbox|virtual alias|local user) table
(doesn't|does not|hasn't|has not) (have|got|a|any)…(account|mailbox)
has no mailbox
(user|recipient|address|mailbox|account) (is |)not recogni(z|s)ed
unrecogni(z|s)ed (recipient|user|address)
illegal alias
never existed
no longer on this server
(utilisateur|destinataire|adresse|boîte|compte|usager|abonné)…(inconnu|inexistant|introuvable|non trouvé)
(utilisateur|destinataire|boîte|compte|adresse)…n'existe (pas|plus)
(cette|cet) (adresse|utilisateur|compte)…n'existe
(aucun utilisateur|aucune boîte|aucun compte)
(adresse|destinataire|utilisateur)…invalide
(usuario|destinatario|dirección|cuenta|buzón|casilla|correo)…(desconocid|inexistente|no existe|no encontrad)
(usuario|destinatario|dirección|cuenta|buzón|casilla|correo)…(inválid|no válid|no es válid)
no existe (el|la|ese|esa|este|esta|tal|un|ningún) (usuario|destinatario|cuenta|buzón|dirección|casilla)
(utente|destinatario|indirizzo|casella|account)…(sconosciut|inesistente|non esist|non trovat|non valid|non è valid)
non esiste (l'|il |la |un |una |nessun |)(utente|destinatario|casella|indirizzo|account)
(usuário|destinatário|endereço|conta |caixa postal|e-mail)…(desconhecid|inexistente|não existe)
(usuário|destinatário|endereço|conta |caixa postal|e-mail)…(inválid|não encontrad|não foi encontrad)
não existe (o |a |este |esta |)(usuário|destinatário|conta|endereço|caixa)
(benutzer|empfänger|adresse|postfach|nutzer|teilnehmer|konto|account|mailbox)…unbekannt
unbekannte(r|s|) (benutzer|empfänger|adresse|nutzer|postfach|teilnehmer)
(benutzer|empfänger|adresse|postfach|konto|account|mailbox)…(existiert nicht|gibt es nicht)
(benutzer|empfänger|adresse|postfach|konto|account|mailbox)…nicht (gefunden|vorhanden|bekannt)
(kein|keine) (solcher|solche|solches|benutzer|postfach|empfänger|mailbox)
ungültige(r|) (empfänger|adresse|empfängeradresse|mailadresse)
(gebruiker|geadresseerde|ontvanger)…(onbekend|bestaat niet)
onbekende (gebruiker|ontvanger)
(konto|użytkownik|skrzynka|adresat)…nie istnieje
nie ma takiego
(uživatel|schránka|adresát)…neexistuje
(пользователь|почтовый ящик|адресат)…(не найден|не существует|неизвестен)
нет такого
"""
"""The recipient is not known: looked for in final refusals only, after everything that may be said about us."""
