"""Words around and inside people's names: titles, suffixes, particles and short forms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TITLES = frozenset(
    """
    mr mrs ms miss mx sir dame lord lady dr drs prof professor rev reverend fr capt captain col gen lt maj sgt herr
    frau fräulein dipl ing dipl-ing dipl-kfm mag magister doctor doktor dott dottssa dottore avv geom rag sig sigra
    signor signora mme mlle monsieur madame mademoiselle maître me sr sra srta señor señora eng engº arq lic dhr
    mevr mw mgr inż inz bc phdr mudr judr rndr paeddr shri smt sheikh haji
    """.split()
)
"""Forms of address before a name, in lower case without dots; those that are names too (Don, Jan) are not among them."""

FIELDS = frozenset("med dent vet rer nat phil jur iur pol oec ing theol hc habil h c".split())
"""What may follow a title: Dr. med., Dr. rer. nat., Prof. h. c."""

SUFFIXES = frozenset(
    """
    jr sr junior senior ii iii iv vi esq esquire phd dphil md dds dmd do dvm jd llb llm ll.m llb mba emba mpa mph msc
    ms bsc bs ba ma beng meng bcom mcom mphil edd psyd pharmd rn cpa cfa cfp cma aca acca fca frcs mrcs mbbs obe
    mbe cbe kbe mp qc kc sc pe pmp cissp shrm-cp shrm-scp csc ret filho neto júnior csm fcca cima ca cams cisa cism
    """.split()
)
"""What follows a name, in lower case without dots."""

PARTICLES = frozenset(
    """
    van von vom der den de del della dello dalla dalle dal degli dei delle di da do dos das du des la le las los lo li
    el al ul y e i het ter ten te 't 's op in zu zum zur auf af av til bin ibn ben bint bat abu abd st ste saint san
    santa mac mc o fitz ap vande vander vanden ver dela delos d l dell dall nic ní ó ua
    """.split()
)
"""Words that belong to the surname after them, in lower case."""

JOINERS = frozenset("y e i und and".split())
"""Between two surnames rather than before one."""

BINDING = frozenset("mc mac o fitz st ste saint san santa".split())
"""Particles that are hardly ever left out or abbreviated."""

_SHORT_FORMS = """
alexander alex; alexandra alex; andrew andy drew; anthony tony; antonio toni; benjamin ben; catherine cathy kate;
charles charlie chuck; christina chris tina; christine chris; christopher chris; daniel dan danny; david dave; deborah
deb debbie; donald don; douglas doug; edward ed eddie ted; elizabeth liz beth betty; eugene gene; francis frank;
francisco paco; frederick fred; gabriel gabe; gerald jerry; gregory greg; jacob jake; jacqueline jackie; james jim
jimmy; jeffrey jeff; jennifer jen jenny; jessica jess; john jack johnny; jonathan jon; joseph joe; joshua josh;
katherine kate kathy katie; kathleen kathy; kenneth ken; kimberly kim; lawrence larry; leonard len; margaret maggie meg
peggy; matthew matt; maximilian max; michael mike; nathaniel nate; nicholas nick; nicole nicki; pamela pam; patricia pat
patty trish; patrick pat; peter pete; philip phil; phillip phil; raymond ray; rebecca becky; richard rich rick dick;
robert bob rob bobby; ronald ron; samantha sam; samuel sam; sebastian seb; stephanie steph; stephen steve; steven steve;
susan sue; thaddeus tad; theodore ted theo; theresa terry tess; thomas tom; timothy tim; valerie val; victoria vicky
tori; vincent vince; walter walt; william bill will billy; zachary zach
"""

SHORT_FORMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {words[0]: tuple(words[1:]) for entry in _SHORT_FORMS.split(";") if (words := entry.split())}
)
"""Usual short forms of first names, the commonest first."""
