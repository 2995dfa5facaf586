"""What mail servers write when they refuse a recipient, in the languages of the big providers, by what it means."""

from __future__ import annotations

# A phrase is literal except for: a space (any spaces), "…" (up to 40 characters of the same sentence), and letters with accents,
# which stand for themselves, for the bare letter and for whatever a wrong character set makes of them.

LISTED_BY = """
spamhaus
spamcop
abusix
sorbs
uceprotect
surbl
barracudacentral
b.barracuda
invaluement
mailspike
senderscore
senderbase
talosintelligence
cloudmark
ipcheck.proofpoint
proofpoint.com/dnsbl
mail-abuse
anti-spam.org
junkemailfilter
manitu
dnsbl
dnswl
sbrs
"""
"""Block lists and reputation services; looked for in links and host names too."""

SENDER_TROUBLE = """
sender address
sender rejected
sender denied
sender blocked
sender is
sender not
sender unknown
sender verif
sender domain
sender policy
sender id
sender has
sender ip
sender host
sender invalid
sender reputation
sender does not
sender email
sender authentication
sending
banned
domain of sender
domain of the sender
invalid sender
unknown sender
bad sender
blocked sender
senders
sender's
mail from
from address
from domain
from your
envelope from
return path
return-path
originating
callout
callback
verification failed
helo
ehlo
client host
client rejected
client blocked
client not
your host
your hostname
your ip
your server
your network
your domain
your mail server
your address
your message
your email has
your e-mail has
your client
your reverse
your isp
your connection
remote host
reverse dns
reverse hostname
reverse lookup
rdns
ptr record
ptr lookup
no ptr
missing ptr
hostname lookup
absender
expéditeur
remitente
mittente
remetente
"""

BLOCKED = """
blacklist
black list
black-list
blocklist
block list
block-list
block listed
blocked by
blocked for
blocked from
blocked due
blocked because
blocked using
blocked at
blocked -
is blocked
been blocked
was blocked
are blocked
message blocked
mail blocked
ip blocked
connection blocked
temporarily blocked
permanently blocked
denylist
deny list
greylist…blocked
reputation
access denied
access refused
access not allowed
relay access
relay denied
relaying denied
relaying is denied
relaying not
relay not
no relay
not relay
unable to relay
cannot relay
can't relay
may not relay
relaying
permitted to relay
relay is prohibited
open relay
rcpthosts
authentication required
authentication is required
authentication failed
must authenticate
must be authenticated
not authenticated
unauthenticated
authenticate first
login first
starttls
administrative prohibition
administratively
prohibited
policy
policies
forbidden
not authorized
not authorised
unauthorized
not permitted
not allowed
permission denied
spf
dkim
dmarc
spammer
spamming
spam detected
spam content
spam message
spam-related
spam source
source of spam
for spam
as spam
like spam
is spam
is considered spam
suspected spam
junk mail
unsolicited
suspicious
content rejected
message rejected
message refused
mail rejected
mail refused
email rejected
connection rejected
connection refused
service refused
service denied
transaction failed due
refused by
rejected by
rejected for
rejected due
refused due
security
virus
malware
phishing
botnet
dynamic ip
dynamic address
dynamic range
dialup
dial-up
residential
open proxy
bad dns
does not accept mail from
does not accept email from
not accept mail from
not accepting mail from
not accept messages from
not accepting messages from
only accepts mail from
restricted to
country
tss0
[cs0
[hm0
s3140
s3150
esmtp not accepted
you are not
you don't have permission
contact your
liste noire
mail rejeté
message rejeté
message refusé
accès refusé
relais refusé
refusé par
bloqué par
été bloqué
est bloquée
adresse ip
service refusé
politique
réputation
authentification
indésirable
lista negra
acceso denegado
rechazado por
política
reputación
autenticación
bloqueado por
bloqueada por
bloqueada pel
bloqueado pel
sido bloquead
dirección ip
lista nera
accesso negato
rifiutato per
messaggio rifiutato
bloccato
reputazione
indirizzo ip
autenticazione
acesso negado
reputação
endereço ip
rejeitado por
rejeitada por
autenticação
schwarze liste
schwarzen liste
sperrliste
blockliste
blockiert
ip gesperrt
ip-adresse
zugriff verweigert
richtlinie
abgelehnt wegen
reputationsbedingt
authentifizierung
"""

RATE_LIMITED = """
too many connections
too many concurrent
too many sessions
too many simultaneous
too many recipients
too many messages
too many errors
too many invalid
too many bad
too many unknown
too many emails
too many rcpt
too many commands
too much mail
concurrent connections
connection limit
connection rate
rate limit
rate-limit
ratelimit
rate exceeded
sending rate
sending limit
limit exceeded
excessive volume
excessive number
excessive rate
unusual rate
throttl
slow down
server busy
server too busy
trop de connexions
trop de messages
demasiadas conexiones
demasiados mensajes
troppe connessioni
muitas conexões
zu viele verbindungen
zu viele nachrichten
"""

BUSY = """
receiving mail at a rate
receiving mail too quickly
receiving messages at a rate
receiving too many messages
too quickly
"""

GREYLISTED = """
greylist
graylist
grey list
gray list
grey-list
gray-list
postgrey
temporarily deferred
temporarily rejected
temporary failure
temporarily unavailable
temporary error
temporary problem
temporary lookup
deferred
deferring
try again
try later
retry later
retry in
retry timeout
come back
réessayer
essayer plus tard
ultérieurement
inténtelo
intente
reintente
más tarde
riprov
più tardi
tente novamente
mais tarde
später
erneut versuchen
"""

NO_MAIL = """
null mx
nullmx
does not accept mail
does not accept email
does not accept e-mail
does not accept any mail
does not receive mail
does not receive email
doesn't accept mail
doesn't accept email
doesn't receive mail
not accept mail for this domain
domain accepts no mail
n'accepte pas de courrier
no acepta correo
non accetta posta
não aceita e-mail
nimmt keine e-mails an
nimmt keine mails an
"""

NO_SMTPUTF8 = """
smtputf8
non-ascii address
non-ascii recipient
internationalized address
internationalized email
utf-8 address
eai not supported
"""

TOO_LARGE = """
message size
message too large
message too big
message is too
message exceeds
message length
size limit
maximum size
fixed maximum
file size
sizelimit
taille du message
taille maximale
tamaño del mensaje
dimensione del messaggio
tamanho da mensagem
nachricht zu groß
nachrichtengröße
"""

SERVER_FULL = """
system storage
system resources
insufficient system
disk full
no space left
not enough space on
queue file write
"""

FULL = """
over quota
overquota
over-quota
over its quota
over their quota
over the quota
over his quota
over disk quota
over storage quota
quota exceed
quota limit
quota has been
quota is full
quota full
exceeded…quota
exceeds…quota
exceed…quota
exceeded storage
exceeded its storage
exceeded…storage
out of storage
out of space
not enough storage
not enough space
insufficient storage
insufficient disk
insufficient space
insufficient mailbox
mailbox full
mailbox is full
mailbox…full
mailfolder is full
mail box full
inbox full
inbox is full
user is over
storage limit
storage space
storage allocation
too many messages in this mailbox
boîte pleine
boîte…pleine
messagerie pleine
quota dépassé
quota…dépassé
quota…atteint
dépassement de quota
espace…insuffisant
buzón lleno
buzón…lleno
casilla llena
casilla…llena
bandeja…llena
cuota excedida
cuota superada
cuota…excedid
cuota…superad
excedido…cuota
superado…cuota
sin espacio
espacio insuficiente
casella piena
casella…piena
mailbox piena
quota superata
quota…superat
spazio esaurito
spazio insufficiente
spazio…esaurit
caixa postal cheia
caixa…cheia
cota excedida
cota…excedid
quota excedida
quota…excedid
espaço insuficiente
sem espaço
postfach voll
postfach…voll
mailbox voll
mailbox ist voll
überfüllt
quota überschritten
quota…überschritten
speicherplatz
speicher voll
kontingent
"""

DISABLED = """
disabled
deactivated
discontinued
inactive
not active
no longer active
suspended
no longer valid
no longer in use
no longer available
no longer on server
no longer works
no longer employed
no longer accepts
has been closed
account closed
account is closed
mailbox closed
mailbox is closed
account locked
account is locked
mailbox locked
mailbox is locked
account expired
account has expired
mailbox expired
mailbox blocked
account blocked
user blocked
recipient blocked
account is blocked
account has been blocked
mailbox is blocked
mailbox has been blocked
account terminated
account has been terminated
retired
frozen
désactivé
suspendu
compte fermé
compte clôturé
boîte…fermée
inactif
n'est plus active
n'est plus actif
n'est plus valide
n'est plus utilisé
résilié
desactivad
deshabilitad
inhabilitad
suspendid
inactiv
dada de baja
dado de baja
cuenta cancelada
cuenta cerrada
ya no es válida
disabilitat
disattivat
disattiv
sospes
inattiv
non più attiv
non più valid
account chiuso
casella chiusa
desabilitad
inativ
conta encerrada
conta cancelada
conta bloqueada
cuenta bloqueada
não é mais válid
deaktiviert
inaktiv
stillgelegt
abgeschaltet
postfach gesperrt
postfach…gesperrt
konto gesperrt
konto…gesperrt
account gesperrt
nicht mehr gültig
nicht mehr aktiv
nicht mehr erreichbar
gekündigt
"""

NOT_FOUND = """
user unknown
unknown user
unknown recipient
unknown address
unknown mailbox
unknown account
unknown local
unknown email
unknown or illegal
recipient unknown
recipient is unknown
recipient address unknown
address unknown
account unknown
mailbox unknown
no such user
no such mailbox
no such recipient
no such person
no such account
no such address
no such local
no such email
no such e-mail
no such id
no such contact
no user
no mailbox
no account
no recipient
no valid recipient
no matches to nameserver
not a known user
not a valid user
not a valid recipient
not a valid mailbox
not a valid address
not a valid email
not a local
not a user
not our customer
is not known
isn't known
not known here
does not exist
doesn't exist
do not exist
did not exist
doesnt exist
not exist
non existent
nonexistent
non-existent
non existant
mailbox not found
user not found
recipient not found
account not found
address not found
email not found
alias not found
mailbox…not found
user…not found
recipient…not found
account…not found
address…not found
mailbox not available
invalid recipient
invalid mailbox
invalid user
invalid address
invalid account
invalid email
recipient invalid
recipient is invalid
address invalid
mailbox invalid
unrouteable
unroutable
not routable
undeliverable address
address undeliverable
bad destination mailbox
bad recipient
recipient rejected
not present in directory
not in directory
not listed in
not in the directory
not found in directory
cannot find recipient
could not find recipient
cannot be found
could not be found
couldn't be found
recipnotfound
recipientnotfound
unknown virtual
local recipient table
relay recipient table
virtual mailbox table
virtual alias table
doesn't have a…account
does not have a…account
doesn't have an…account
does not have an…account
hasn't got an account
has no mailbox
is not a mailbox
user doesn't have
user does not have
recipient does not have
name not found
not recognized
not recognised
unrecognized recipient
unrecognised recipient
illegal alias
addressee unknown
never existed
utilisateur inconnu
destinataire inconnu
adresse inconnue
boîte inconnue
compte inconnu
utilisateur…inconnu
destinataire…inconnu
adresse…inconnue
inexistant
n'existe pas
n'existe plus
aucun utilisateur
aucune boîte
adresse invalide
destinataire invalide
destinataire non trouvé
utilisateur non trouvé
introuvable
usuario desconocido
destinatario desconocido
dirección desconocida
cuenta desconocida
usuario…desconocido
inexistente
no existe
no encontrad
usuario inválido
usuario no válido
destinatario inválido
destinatario no válido
dirección no válida
dirección inválida
utente sconosciuto
destinatario sconosciuto
indirizzo sconosciuto
casella sconosciuta
utente…sconosciuto
non esistente
non esiste
inesistente
non trovat
indirizzo non valido
destinatario non valido
utente non valido
usuário desconhecido
destinatário desconhecido
endereço desconhecido
conta desconhecida
usuário…desconhecido
não existe
não encontrad
destinatário inválido
usuário inválido
endereço inválido
benutzer unbekannt
empfänger unbekannt
adresse unbekannt
postfach unbekannt
unbekannter benutzer
unbekannter empfänger
unbekannte adresse
unbekannter nutzer
empfänger ist unbekannt
empfänger…unbekannt
benutzer…unbekannt
existiert nicht
nicht gefunden
nicht vorhanden
nicht bekannt
kein solcher
keine solche
kein benutzer
kein postfach
ungültiger empfänger
ungültige adresse
ungültige empfänger
gebruiker onbekend
onbekende gebruiker
bestaat niet
nie istnieje
nie ma takiego
neexistuje
"""
"""The recipient is not known; only looked for in final refusals, and after everything that may be said about us."""
