"""People of many languages, and how a human would build their addresses: independent of the code under test."""

from __future__ import annotations

from engine.mail.finding import Pair, Person

# first name | surname | the first name in an address | the surname in an address
_FOLK = """
Jane|Doe|jane|doe
Robert|Miller|robert|miller
Mary|Johnson|mary|johnson
Siobhán|Kelly|siobhan|kelly
Seán|Murphy|sean|murphy
Owain|Llewellyn|owain|llewellyn
Zoë|Baker|zoe|baker
Renée|Zellweger|renee|zellweger
Björk|Guðmundsdóttir|bjork|gudmundsdottir
Þór|Einarsson|thor|einarsson
Sigríður|Jónsdóttir|sigridur|jonsdottir
José|García|jose|garcia
Íñigo|Muñoz|inigo|munoz
Begoña|Ibáñez|begona|ibanez
Lucía|Fernández|lucia|fernandez
Ángel|Núñez|angel|nunez
João|Gonçalves|joao|goncalves
Conceição|Simões|conceicao|simoes
Antônio|Araújo|antonio|araujo
François|Lefèvre|francois|lefevre
Hélène|Côté|helene|cote
Éloïse|Bérubé|eloise|berube
Benoît|Château|benoit|chateau
Chloé|Œuvrard|chloe|oeuvrard
Niccolò|Rossi|niccolo|rossi
Mattia|Colombo|mattia|colombo
Hans|Weiß|hans|weiss
Grete|Strauß|grete|strauss
Łukasz|Wójcik|lukasz|wojcik
Małgorzata|Dąbrowska|malgorzata|dabrowska
Paweł|Żak|pawel|zak
Krzysztof|Błaszczykowski|krzysztof|blaszczykowski
Jiří|Dvořák|jiri|dvorak
Ondřej|Novák|ondrej|novak
Šárka|Křížová|sarka|krizova
Ľubomír|Kováč|lubomir|kovac
Žiga|Čeferin|ziga|ceferin
Luka|Modrić|luka|modric
Siniša|Mihajlović|sinisa|mihajlovic
Ștefan|Țepeș|stefan|tepes
Ionuț|Bălan|ionut|balan
Károly|Kovács|karoly|kovacs
Zsófia|Szabó|zsofia|szabo
Győző|Fehér|gyozo|feher
Ferenc|Erdős|ferenc|erdos
Uğur|Şahin|ugur|sahin
İbrahim|Çelik|ibrahim|celik
Işıl|Yıldırım|isil|yildirim
Ayşe|Doğan|ayse|dogan
Jānis|Bērziņš|janis|berzins
Rūta|Šimkutė|ruta|simkute
Nguyễn|Trần|nguyen|tran
Hùng|Phạm|hung|pham
Đức|Lê|duc|le
Mark|Visser|mark|visser
Lotte|Bakker|lotte|bakker
Eero|Virtanen|eero|virtanen
Mette|Olsen|mette|olsen
Иван|Петров|ivan|petrov
Ольга|Смирнова|olga|smirnova
Марина|Щербакова|marina|shcherbakova
Григорій|Шевченко|hryhorii|shevchenko
Ірина|Коваленко|iryna|kovalenko
Стоян|Иванов|stoyan|ivanov
Γιώργος|Παπαδόπουλος|giorgos|papadopoulos
Ελένη|Αντωνίου|eleni|antoniou
Νίκος|Μπάκας|nikos|bakas
Χρήστος|Θεοδωρίδης|christos|theodoridis
გიორგი|ბერიძე|giorgi|beridze
さくら|たなか|sakura|tanaka
ケンジ|サトウ|kenji|satou
秀英|曾|xiuying|zeng
伟|王|wei|wang
민준|김|minjun|kim
지우|박|jiu|park
محمد|حسن|mohamed|hassan
مريم|سمير|maryam|samir
משה|כהן|moshe|cohen
अनिल|किशोर|anil|kisor
Priya|Sharma|priya|sharma
Rajesh|Iyer|rajesh|iyer
Ngozi|Okonjo|ngozi|okonjo
Chinedu|Ọbasanjọ|chinedu|obasanjo
Thabo|Mbeki|thabo|mbeki
Kwame|Nkrumah|kwame|nkrumah
Fatou|Diop|fatou|diop
Māui|Tāne|maui|tane
Kalākaua|Kamehameha|kalakaua|kamehameha
O'Shea|Jackson|oshea|jackson
Conan|O'Brien|conan|obrien
Maureen|O’Hara|maureen|ohara
Gabriele|D'Annunzio|gabriele|dannunzio
Jeanne|d’Arc|jeanne|darc
Scott|McDonald|scott|mcdonald
Fiona|Mac Donald|fiona|macdonald
Mary|St. John|mary|stjohn
Vincent|van Gogh|vincent|vangogh
Jan|van der Berg|jan|vanderberg
Daan|van den Heuvel|daan|vandenheuvel
Bas|de Vries|bas|devries
Ursula|von der Leyen|ursula|vonderleyen
Otto|von Bismarck|otto|vonbismarck
Fernando|de la Rúa|fernando|delarua
Leonardo|da Vinci|leonardo|davinci
Beatriz|dos Santos|beatriz|dossantos
Luca|Di Maio|luca|dimaio
Omar|al-Bashir|omar|al-bashir
Martin Luther|King|martin|king
John Q.|Smith|john|smith
Jean-Luc|Picard|jean-luc|picard
Anne-Sophie|Mutter|anne-sophie|mutter
Emma|Smith-Jones|emma|smith-jones
Dr. Helga|Schmidt|helga|schmidt
Prof. Dr.-Ing. Karl|Bauer|karl|bauer
Martin|Baker, PhD|martin|baker
Sammy|Davis Jr.|sammy|davis
Thurston|Howell III|thurston|howell
Hans-Georg|Klein|hans-georg|klein
  ANNA  |  ROTH  |anna|roth
"""

FOLK = [
    (Person(first, last), spelled_first.strip(), spelled_last.strip())
    for first, last, spelled_first, spelled_last in (line.split("|") for line in _FOLK.strip("\n").splitlines())
]
"""Each person with the first name and surname as most addresses have them."""

TEACHERS = [
    (Person("Peter", "Hansen"), "peter", "hansen"),
    (Person("Clara", "Brown"), "clara", "brown"),
    (Person("Simon", "Wright"), "simon", "wright"),
    (Person("Tessa", "Novak"), "tessa", "novak"),
]
"""People without anything special about their names, to learn from."""

_BUILD = {
    "first.last": "{first}.{last}",
    "flast": "{first[0]}{last}",
    "first": "{first}",
    "firstlast": "{first}{last}",
    "f.last": "{first[0]}.{last}",
    "first_last": "{first}_{last}",
    "first-last": "{first}-{last}",
    "last.first": "{last}.{first}",
    "lastf": "{last}{first[0]}",
    "last": "{last}",
    "firstl": "{first}{last[0]}",
    "initials": "{first[0]}{last[0]}",
    "first.l": "{first}.{last[0]}",
    "lastfirst": "{last}{first}",
    "last.f": "{last}.{first[0]}",
    "f_last": "{first[0]}_{last}",
    "last_first": "{last}_{first}",
}

STYLES = list(_BUILD)
"""Patterns that addresses are built by here; the first twelve are those of the table in the domain's documentation."""


def built(pattern: str, first: str, last: str) -> str:
    """The local part of a spelled name by a pattern."""
    return _BUILD[pattern].format(first=first, last=last)


def taught(pattern: str, count: int = 2) -> list[Pair]:
    """Known pairs of a domain with one pattern."""
    return [Pair(built(pattern, first, last), person) for person, first, last in TEACHERS[:count]]
