"""What people of a country are called, where they live and which telephone numbers are set aside for fiction.

Sources of the numbers: North American Numbering Plan, 555-0100 to 555-0199 in every area code; Ofcom, "Telephone numbers
for use in TV and radio drama programmes"; Arcep decision 2018-0881, numbers for works of fiction; ComReg, numbers for
drama use; Bundesnetzagentur, "Rufnummern für Medienproduktionen". Country code 999 is assigned to nobody: it takes over
where a range is used up.
"""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """One country of the demo."""

    code: str
    language: str
    #: share of all people
    share: float
    female: tuple[str, ...]
    male: tuple[str, ...]
    last: tuple[str, ...]
    cities: tuple[str, ...]
    #: (digits before, how many digits follow)
    numbers: tuple[tuple[str, int], ...]


_AREA_CODES = (
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 253 254 256 "
    "260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321 323 325 330 334 336 "
    "337 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 424 425 430 432 434 435 440 443 "
    "469 470 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 518 520 530 540 541 551 559 561 562 563 567 "
    "570 571 573 574 580 585 586 601 602 603 605 606 607 608 609 610 612 614 615 616 617 618 619 620 623 626 630 631 636 641 646 "
    "650 651 660 661 662 678 682 701 702 703 704 706 707 708 712 713 714 715 716 717 718 719 720 724 727 731 732 734 737 740 754 "
    "757 760 763 765 770 772 773 774 775 781 785 786 801 802 803 804 805 806 808 810 812 813 814 815 816 817 818 828 830 831 832 "
    "843 845 847 848 850 856 857 858 859 860 862 863 864 865 870 901 903 904 906 907 908 909 910 912 913 914 915 916 917 918 919 "
    "920 925 928 931 936 937 940 941 947 949 951 952 954 956 970 971 972 973 978 979 980 985 989"
).split()

UNITED_STATES = Country(
    "US", "en", 0.40,
    ("Mary", "Jennifer", "Linda", "Jessica", "Ashley", "Emily", "Sarah", "Karen", "Nancy", "Grace", "Hannah", "Zoe", "Abigail",
     "Naomi", "Ruth", "Olivia", "Chloe", "Maya", "Gloria", "Imani"),
    ("James", "Robert", "Michael", "David", "Daniel", "Joseph", "Thomas", "Christopher", "Matthew", "Anthony", "Mark", "Steven",
     "Andrew", "Joshua", "Kevin", "Brian", "Ethan", "Noah", "Elijah", "Marcus"),
    ("Smith", "Johnson", "Williams", "Brown", "Jones", "Garcia", "Miller", "Davis", "Rodriguez", "Martinez", "Hernandez", "Lopez",
     "Wilson", "Anderson", "Taylor", "Moore", "Jackson", "Nguyen", "Lee", "Thompson", "White", "Harris", "Clark", "Ramirez",
     "Lewis", "Robinson", "Walker", "Young", "Allen", "King"),
    ("Boston", "Chicago", "Denver", "Austin", "Seattle", "Portland", "Atlanta", "St. Louis", "San Diego", "Washington, DC"),
    tuple((f"+1{code}55501", 2) for code in _AREA_CODES),
)  # fmt: skip
FRANCE = Country(
    "FR", "fr", 0.18,
    ("Camille", "Léa", "Manon", "Chloé", "Inès", "Jade", "Louise", "Zoé", "Anaïs", "Hélène", "Aurélie", "Céline", "Élodie",
     "Maëlle", "Nathalie"),
    ("Lucas", "Hugo", "Théo", "Léo", "Jules", "Gaël", "Rémi", "Loïc", "François", "Jérôme", "Benoît", "Mathéo", "Antoine",
     "Émile", "Raphaël"),
    ("Martin", "Bernard", "Dubois", "Thomas", "Robert", "Richard", "Petit", "Durand", "Leroy", "Moreau", "Lefèvre", "Garnier",
     "Faure", "André", "Mercier", "Guérin", "Boyer", "D'Hondt", "Le Gall", "Béranger"),
    ("Paris", "Lyon", "Nantes", "Lille", "Bordeaux", "Rennes", "Orléans", "Saint-Étienne", "Besançon", "Nîmes"),
    (("+3363998", 4),),
)  # fmt: skip
GREAT_BRITAIN = Country(
    "GB", "en", 0.17,
    ("Amelia", "Isla", "Poppy", "Freya", "Florence", "Evie", "Harriet", "Eleanor", "Niamh", "Rhiannon", "Siân", "Priya", "Aisha",
     "Beatrice", "Georgia"),
    ("Oliver", "Harry", "George", "Alfie", "Archie", "Callum", "Ewan", "Rhys", "Angus", "Graham", "Nigel", "Imran", "Arjun",
     "Stuart", "Finlay"),
    ("Jones", "Taylor", "Brown", "Davies", "Evans", "Wilson", "Johnson", "Roberts", "Robinson", "Wright", "Hughes", "Hall",
     "Green", "Patel", "Khan", "MacDonald", "O'Neill", "Fraser", "Llewellyn", "Hart-Dyke"),
    ("London", "Leeds", "Bristol", "Cardiff", "Glasgow", "Belfast", "Norwich", "York", "Exeter", "Stoke-on-Trent"),
    (("+447700900", 3), ("+441134960", 3), ("+441144960", 3), ("+441154960", 3), ("+441164960", 3), ("+441174960", 3),
     ("+441184960", 3), ("+441214960", 3), ("+441314960", 3), ("+441414960", 3), ("+441514960", 3), ("+441614960", 3),
     ("+442079460", 3)),
)  # fmt: skip
IRELAND = Country(
    "IE", "en", 0.17,
    ("Aoife", "Ciara", "Saoirse", "Róisín", "Sinéad", "Gráinne", "Orla", "Clodagh", "Máire", "Deirdre"),
    ("Seán", "Conor", "Cillian", "Oisín", "Pádraig", "Eoin", "Declan", "Fionn", "Tadhg", "Brendan"),
    ("Murphy", "Kelly", "O'Sullivan", "Walsh", "O'Brien", "Byrne", "Ryan", "O'Connor", "Doyle", "McCarthy", "Gallagher",
     "Doherty", "Kennedy", "Lynch", "Ó Dálaigh"),
    ("Dublin", "Cork", "Galway", "Limerick", "Waterford", "Dún Laoghaire", "Sligo", "Kilkenny"),
    (("+3532091", 5),),
)  # fmt: skip
GERMANY = Country(
    "DE", "de", 0.08,
    ("Anna", "Lena", "Marie", "Sophie", "Jutta", "Käthe", "Ursula", "Greta", "Heike", "Gisela"),
    ("Lukas", "Finn", "Jonas", "Jürgen", "Götz", "Björn", "Matthias", "Karl", "Uwe", "Dieter"),
    ("Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schäfer", "Köhler", "Weiß", "Groß",
     "von Arnim", "Jäger", "Böhm"),
    ("Berlin", "Hamburg", "München", "Köln", "Düsseldorf", "Frankfurt am Main", "Nürnberg", "Würzburg"),
    (("+493023125", 3), ("+496990009", 3), ("+494066969", 3), ("+492214710", 3), ("+498999998", 3)),
)  # fmt: skip

COUNTRIES = (UNITED_STATES, FRANCE, GREAT_BRITAIN, IRELAND, GERMANY)
#: where a country's numbers are used up
UNASSIGNED = ("+999", 9)
