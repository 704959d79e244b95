"""The reader's vocabulary on true texts and innocent ones: what people write at night, and what they write all day."""

import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.codec.keywords import OURS, Form, Reading, load_vocabulary, split
from bridge.domain.press import Kind

VOCABULARY = load_vocabulary()
TABLES = [tomllib.loads((files("bridge.codec") / name).read_text(encoding="utf-8")) for name in OURS]

CALLS = {
    Kind.THEFT: [
        "malinge mlayu ngetan", "malinge nang omahku", "bedhe malèng", "begale isih nang embong",
        "tang motor elang", "È bengko bâdâ malèng", "motorku ilang nang pasar", "tokang ngico'", "onok wong nyolong",
        "tulung ono maling nang omahku", "motorku dicolong", "bada maleng neng bengko", "tolonge, bada maleng!",
        "sepeda elang",
        "maling", "MALING!!", "maliiing", "maling2 di rumah pak RT", "ada maling di RT 03", "awas maling",
        "pencuri masuk rumah saya", "pncuri", "rampok!!! rampok!!!", "perampokan di toko", "saya dirampok di jembatan",
        "begal di jalan sawah", "kena begal", "kecopetan di pasar", "jambret!", "tolong ada maling",
        "Tolong pak, ada orang masuk rumah", "motor saya hilang", "motor hilang", "curanmor", "malingnya lari ke sawah",
        "thief", "Thieves in my house!", "theif", "robbery at the house", "help! burglar", "there is a robber",
        "assalamualaikum pak RT, ada maling di rumah saya", "selamat malam warga, ada pencurian di gang 3",
        "!!! maling", "- maling -", "🚨🚨 maling", "woy maling woy", "ｍａｌｉｎｇ", "mailng", "\nmaling\n",
    ],
    Kind.LIVESTOCK: [
        "pitikku dimaling", "sapine ilang", "tang sapè èlang", "malèng sapè", "sapè èkèco'", "kebone dicolong",
        "embi'na elang",
        "sapiku dicolong", "wedhus ilang loro", "kelangan kebo", "sape elang", "embi' elang", "ajam ekeco'",
        "sapi hilang", "Sapi saya dicuri!", "maling sapi", "malinggg sapiii", "kambing dicuri", "ternak hilang",
        "pencuri kambing di kandang", "tolong sapi saya hilang", "kerbau digondol", "maling ayam", "kehilangan kambing",
        "cattle stolen", "goats missing", "cow thief", "maling sapinya lari", "pencurian ternak",
    ],
    Kind.FIRE: [
        "genine gedhe", "kobongane nang pasar", "kobbhâran", "geni!", "apoy", "bâḍâ apoy rajâ", "roma katonon",
        "onok kobongan rek", "kobhâr",
        "omahku kobong", "ono geni gedhe", "kobongan!!", "bengko katonon", "kobbhar", "bada apoy",
        "kebakaran", "KEBAKARAN", "kebakarannn", "kebakran di dapur", "kbakaran", "api", "Api!", "API BESAR", "ada api",
        "tolong kebakaran", "Tolong! 🚨 kebakaran — RT 05", "rumah terbakar", "pasar terbakar", "rumah kebakaran",
        "damkar", "panggil pemadam kebakaran", "gas bocor", "kobong", "korsleting", "api di dapur, cepat",
        "apinya besar",
        "fire", "FIRE!!!", "fiiire", "house on fire", "there's a fire", "gas leak",
    ],
    Kind.DISASTER: [
        "sungai meluap", "tanggul retak",
        "lindhu", "angin lesus", "lemah longsor nang dusun", "aeng rajah", "tana longsor",
        "banjir", "banjiiir", "bnjir", "banjir bandang", "air naik", "longsor", "tanah longsor di dusun", "gempa",
        "GEMPA BUMI", "tsunami", "puting beliung", "pohon tumbang di jalan", "gunung meletus", "gunung api meletus",
        "tanggul jebol", "flood", "Flooding!", "landslide", "earthquake", "tolong banjir", "rumah roboh",
    ],
    Kind.MURDER: [
        "wong mati dipateni", "patè'en", "èpatè'è", "ono mayit nang kali",
        "rojo pati", "wong dipateni", "epatei",
        "pembunuhan", "pembunuhaaan", "ada mayat di sungai", "dibacok", "orang dibacok", "saya ditusuk", "penusukan",
        "carok", "penembakan", "murder", "stabbing", "someone stabbed", "gunshots",
    ],
    Kind.ACCIDENT: [
        "bocah klelep nang kali", "anakku ceblok", "tasèllem", "tang ana' ghâgghâr",
        "kecemplung sumur", "anakku kelelep", "etabrak", "labu ka somor",
        "kecelakaan", "kecelakan", "kclakaan", "laka lantas", "tabrakan di jembatan", "tabrak lari",
        "anak saya ketabrak",
        "anak tenggelam di sungai", "kesetrum", "jatuh ke sumur", "accident", "acident", "car crash", "drowning",
        "jatuh", "tolong anak saya jatuh",
    ],
    Kind.BRAWL: [
        "gelud nang pasar", "gegeran nang pasar", "dikroyok", "atokar neng pasar", "ekaroyok",
        "tawuran", "tawurannn", "berkelahi", "perkelahian di pasar", "berantem", "bentrok", "ada keributan",
        "dikeroyok",
        "orang mabuk ngamuk", "brawl", "fight", "riot",
    ],
    Kind.MEDICAL: [
        "bapakku gak isok ambekan", "anakku ora iso ambegan", "istriku arep nglairno", "arep lahiran", "ibuku getihen",
        "embu' sakè' sara", "sakèk", "ekekke' olar", "bapakku ora sadar",
        "wong semaput", "lara banget", "mbrojol", "sake' parah", "klenger",
        "sakit", "pingsan", "ibu pingsan", "istri saya mau melahirkan", "serangan jantung", "sesak napas", "stroke",
        "kejang", "anak saya kejang-kejang", "ambulans", "tolong kirim ambulans", "butuh ambulans", "digigit ular",
        "heart attack", "my wife is unconscious", "ambulance please", "darurat ibu saya sakit", "bapak saya sakit",
    ],
    Kind.PANIC: [
        "tolong", "TOLOOONG", "tolong!!!", "tolong tolong tolong", "tlg", "tlong", "tolong saya", "minta tolong",
        "tolong cepat ke rumah saya", "darurat", "gawat", "gawat darurat", "panik", "SOS", "S.O.S.", "sosss", "🆘",
        "bahaya", "help", "HELP!", "heeelp", "help me please", "we need help", "emergency", "emergancy", "panic",
        "njalok tolong", "tulungen aku", "tolongin", "tolongi!", "njaluk tulung", "tulungono aku", "bebaya", "èyancem",
        "mintah tolong",
        "bantu saya", "anak saya hilang", "ular masuk rumah", "ada orang bawa parang",
        "diserang", "anak saya diculik", "bom", "Ya Allah tolong",
    ],
}  # fmt: skip

PERHAPS_TALK = {
    "maling ya?": Kind.THEFT,
    "ada kebakaran?": Kind.FIRE,
    "apakah ada kebakaran": Kind.FIRE,
    "banjir?": Kind.DISASTER,
    "maling yang kemarin itu sudah tertangkap belum ya pak kok saya belum dengar kabarnya lagi": Kind.THEFT,
    "tidak ada maling": Kind.THEFT,
    "ora ono maling": Kind.THEFT,
    "wis ora kobong": Kind.FIRE,
    "ta' kaobbar": Kind.FIRE,
    "lindhu opo iki?": Kind.DISASTER,
    "tukaran apa kuwi bengi": Kind.BRAWL,
    "bukan kebakaran, cuma bakar sampah": Kind.FIRE,
    "Pak Budi pingsan": Kind.MEDICAL,
    "kemarin ada maling di RT 04": Kind.THEFT,
    "saya sakit jadi tidak ikut ronda malam ini": Kind.MEDICAL,
    "tolong pak RT nanti kursinya dipindah ke balai": Kind.PANIC,
    "was there a fire": Kind.FIRE,
    "kemarin malam di rapat katanya ada maling": Kind.THEFT,
    "mohon maaf baru lihat pesan, tolong itu kebakaran": Kind.FIRE,
    # Who is frightened tells first who he is and where: the word that matters comes late.
    "rumah pak Slamet di RT 05 dekat musala kebakaran": Kind.FIRE,
    "di belakang rumah pak Haji Mahmud sudah kelihatan api besar": Kind.FIRE,
    "saya Budi dari RT 4 dekat sawah timur, kecelakaan motor dua orang luka": Kind.ACCIDENT,
    "Bapak-bapak ibu-ibu sekalian warga RT 03 mohon bantuannya rumah pak Slamet kemalingan": Kind.THEFT,
    "ibu saya di kamar mandi jatuh dan pingsan": Kind.MEDICAL,
    "assalamualaikum mohon maaf mengganggu di jembatan bambu ada orang dibacok": Kind.MURDER,
    "pak di rumah bu Siti sebelah masjid ada orang bawa golok": Kind.PANIC,
    "our neighbour at the end of the paddy field shouts that his house is on fire": Kind.FIRE,
    "kemarin di rapat kita bicara soal maling": Kind.THEFT,
    "the meeting last night was about the old flood": Kind.DISASTER,
}

INNOCENT = [
    "", " ", "!!!", "???", "12345", "👍", "ok", "siap", "mau beli sapi", "sapi saya sehat", "rapat malam ini jam 8",
    "api unggun besok?", "apik tenan", "apinik", "kereta api jam 9", "nonton kembang api", "korek api ada?",
    "sakit hati",
    "besok tolong bawa kursi", "malam ini ronda siapa?", "terima kasih bantuannya", "banjir orderan hari ini",
    "selamat pagi semua", "masih hidup?", "tes kanal umum ✓", "dengan log", "lewat C", "antre 0", "T7", "X0",
    "sesudah reboot 2", "setelah set_time", "managed masih bisa kirim", "palsu: semua aman", "P" * 200,
    "firewood for sale", "fireworks tonight", "rapat darurat besok jam 7", "jatuh tempo iuran tanggal 5",
    "kemarin rapat bicara soal kas, jatuh temponya besok", "helpful as always",
    "jangan lupa bawa parang untuk kerja bakti",
    "arisan bu RT dipindah ke hari Kamis", "hujan deras, jemuran diangkat", "listrik padam dari jam 6",
    "tolong belikan gula dan kopi", "bidan desa datang besok pagi", "sudah makan?",
    "wedang geni anget", "lampune dipateni sik", "nyuwun tulung tumbasaken gula", "tulung gawakno kursi",
    "tukaran jadwal ronda yo", "sholat mayit bar isya", "hp ku kecemplung got maneh", "mangga pinarak",
    "mator sakalangkong", "mare ngakan?", "sakit ati", "padune wis rampung",
    "kober mampir ora?", "wis kober urung", "aku ora kober saiki", "kebakaran jenggot dia", "banjir hadiah lomba 17an",
    "warga diajak berpikir kritis", "ngaji tanpa kendhat", "tulung jupukno sarungku", "terbakar emosi gara-gara bola",
    "wingi pada geger krungu pasar rega sembako",
    "iuran ronda bulan ini sudah lunas", "kambing untuk kurban berapa harganya",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in CALLS.items() for text in texts])
def test_a_call_for_help_is_plainly_one(kind: Kind, text: str) -> None:
    assert VOCABULARY.read(text) == Reading(kind, is_talk=False)


@pytest.mark.parametrize("text", PERHAPS_TALK)
def test_what_is_perhaps_talk_is_still_an_alarm(text: str) -> None:
    assert VOCABULARY.read(text) == Reading(PERHAPS_TALK[text], is_talk=True)


@pytest.mark.parametrize("text", INNOCENT)
def test_village_talk_is_no_alarm(text: str) -> None:
    assert VOCABULARY.read(text) is None


def test_every_kind_is_covered_in_four_languages() -> None:
    groups = [group for table in TABLES for group in table["keywords"]]
    covered = {(group["kind"], group["language"]) for group in groups}
    languages = ("id", "en", "jv", "mad")
    assert covered == {(kind.value, language) for kind in Kind if kind is not Kind.UNKNOWN for language in languages}


def test_there_are_more_than_sixty_forms_and_each_alone_is_its_kind() -> None:
    forms = [form for forms in VOCABULARY.forms.values() for form in forms if form.kind is not None]
    assert len(forms) > 300
    misread = {form.words: VOCABULARY.read(" ".join(form.words)) for form in forms}
    assert {words for words, reading in misread.items() if reading is None} == set()
    assert {
        form.words: reading.kind
        for form in forms
        if (reading := misread[form.words]) is not None and reading.kind is not form.kind
    } == {}


def test_no_form_stands_under_two_kinds() -> None:
    seen: dict[tuple[str, ...], str] = {}
    for group in (group for table in TABLES for group in table["keywords"]):
        for form in group["forms"]:
            words = tuple(split(form))
            assert seen.setdefault(words, group["kind"]) == group["kind"], (
                f"{form} is {group['kind']} and {seen[words]}"
            )


@given(st.text())
def test_any_text_reads_as_a_call_or_nothing(text: str) -> None:
    reading = VOCABULARY.read(text)
    assert reading is None or VOCABULARY.kind_anywhere(text) is reading.kind


@given(st.lists(st.sampled_from(sorted(VOCABULARY.known)), max_size=20))
def test_any_order_of_known_words_reads(words: list[str]) -> None:
    reading = VOCABULARY.read(" ".join(words))
    assert reading is None or reading.kind in Kind


@given(st.sampled_from([form for forms in VOCABULARY.forms.values() for form in forms if form.kind]), st.integers(1, 5))
def test_long_letters_change_nothing(form: Form, times: int) -> None:
    plain = " ".join(form.words)
    drawn = "".join(letter * times for letter in plain.upper())
    assert VOCABULARY.read(drawn.replace(" " * times, " ")) == VOCABULARY.read(plain)
