"""The commonest names, in order, of countries whose lists in Faker and mimesis say nothing about how common a name is.

General knowledge as national statistics offices and encyclopedias report it; the order is approximate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Common:
    """A country's commonest names, separated by commas."""

    female: str = ""
    male: str = ""
    last: str = ""

    def listed(self, kind: str) -> list[str]:
        """The names of a kind (`female`, `male` or `last`)."""
        text: str = getattr(self, kind)
        return [name.strip() for name in text.split(",") if name.strip()]


COMMON: Mapping[str, Common] = MappingProxyType(
    {
        "AU": Common(
            female="Sarah, Susan, Emma, Claire, Margaret, Laura, Nicola, Karen, Elizabeth, Rebecca, Julie, Charlotte, Helen, "
            "Jessica, Lucy",
            male="David, John, James, Paul, Michael, Andrew, Mark, Thomas, Daniel, Christopher, Stephen, Robert, Richard, "
            "Matthew, Peter",
        ),
        "BR": Common(
            female="Maria, Ana, Francisca, Antônia, Adriana, Juliana, Márcia, Fernanda, Patrícia, Aline, Sandra, Camila, "
            "Amanda, Bruna, Jéssica, Letícia, Júlia, Luciana, Vanessa, Mariana, Gabriela, Vera, Larissa, Beatriz",
            male="José, João, Antônio, Francisco, Carlos, Paulo, Pedro, Lucas, Luiz, Marcos, Luís, Gabriel, Rafael, Daniel, "
            "Marcelo, Bruno, Eduardo, Felipe, Rodrigo, Manoel, Mateus, André, Fernando, Fábio, Leonardo, Gustavo, "
            "Guilherme",
            last="Silva, Santos, Oliveira, Souza, Rodrigues, Ferreira, Alves, Pereira, Lima, Gomes, Costa, Ribeiro, Martins, "
            "Carvalho, Almeida, Lopes, Soares, Fernandes, Vieira, Barbosa, Rocha, Dias, Nascimento, Andrade, Moreira, "
            "Nunes, Marques",
        ),
        "DE": Common(
            female="Maria, Ursula, Monika, Petra, Sabine, Andrea, Anna, Susanne, Claudia, Birgit, Stefanie, Julia, Nicole, "
            "Martina, Karin, Katharina, Christine, Heike, Angelika, Gabriele, Sandra, Sarah, Laura, Lisa, Barbara, "
            "Melanie, Anja, Lena",
            male="Peter, Michael, Thomas, Andreas, Wolfgang, Klaus, Jürgen, Stefan, Christian, Uwe, Werner, Frank, Markus, "
            "Daniel, Alexander, Bernd, Matthias, Martin, Hans, Jan, Sebastian, Tobias, Florian, Jens, Ralf, Dieter, "
            "Philipp, Lukas",
            last="Müller, Schmidt, Schneider, Fischer, Weber, Meyer, Wagner, Becker, Schulz, Hoffmann, Schäfer, Koch, Bauer, "
            "Richter, Klein, Wolf, Schröder, Neumann, Schwarz, Zimmermann, Braun, Krüger, Hofmann, Hartmann, Lange, "
            "Schmitt, Werner, Krause, Lehmann, Köhler, Herrmann, König, Walter, Mayer, Huber, Kaiser, Fuchs, Peters, "
            "Lang, Scholz, Möller, Weiß",
        ),
        "DK": Common(
            female="Anne, Mette, Kirsten, Hanne, Anna, Helle, Maria, Susanne, Lene, Marianne, Camilla, Louise, Pia, Charlotte, "
            "Ida, Emma",
            male="Peter, Michael, Jens, Lars, Thomas, Henrik, Søren, Christian, Jan, Martin, Niels, Anders, Morten, Jesper, "
            "Hans, Ole",
        ),
        "ES": Common(
            female="María, Carmen, Ana, Isabel, Laura, Cristina, Marta, Lucía, Dolores, Pilar, Elena, Raquel, Paula, Sara, "
            "Beatriz, Rosa, Silvia, Teresa, Patricia, Mercedes, Julia, Alba, Irene, Nuria, Andrea, Rocío, Mónica, "
            "Ángela",
            male="Antonio, José, Manuel, Francisco, David, Juan, Javier, Daniel, Carlos, Jesús, Alejandro, Miguel, Rafael, "
            "Pablo, Pedro, Sergio, Ángel, Fernando, Jorge, Luis, Alberto, Álvaro, Adrián, Diego, Raúl, Iván, Rubén, "
            "Óscar, Mario",
            last="García, Rodríguez, González, Fernández, López, Martínez, Sánchez, Pérez, Gómez, Martín, Jiménez, "
            "Hernández, Ruiz, Díaz, Moreno, Muñoz, Álvarez, Romero, Gutiérrez, Alonso, Navarro, Torres, Domínguez, "
            "Ramos, Vázquez, Ramírez, Gil, Serrano",
        ),
        "FR": Common(
            female="Marie, Nathalie, Isabelle, Catherine, Sylvie, Françoise, Sandrine, Céline, Julie, Sophie, Camille, "
            "Monique, Martine, Valérie, Christine, Véronique, Anne, Stéphanie, Aurélie, Laura, Émilie, Pauline, "
            "Virginie, Élodie, Léa, Manon",
            male="Jean, Philippe, Pierre, Nicolas, Alain, Michel, Thomas, Christophe, Éric, Patrick, Laurent, Julien, "
            "Frédéric, Stéphane, David, Alexandre, Olivier, Sébastien, François, Pascal, Kevin, Antoine, Maxime, "
            "Guillaume, Vincent, Hugo, Lucas",
        ),
        "GB": Common(
            female="Sarah, Susan, Emma, Claire, Margaret, Laura, Nicola, Karen, Elizabeth, Rebecca, Julie, Charlotte, Helen, "
            "Jessica, Lucy",
            male="David, John, James, Paul, Michael, Andrew, Mark, Thomas, Daniel, Christopher, Stephen, Robert, Richard, "
            "Matthew, Peter",
        ),
        "IN": Common(
            female="Priya, Pooja, Neha, Sunita, Anita, Kavita, Anjali, Deepika, Divya, Shreya, Sneha, Lakshmi, Meena, Rekha, "
            "Swati, Nisha",
            male="Rahul, Amit, Rajesh, Suresh, Vijay, Sanjay, Ravi, Anil, Arjun, Rohit, Rohan, Manoj, Deepak, Vikram, Ashok, "
            "Karan, Nikhil",
            last="Kumar, Singh, Sharma, Patel, Gupta, Khan, Verma, Yadav, Reddy, Das, Mishra, Jain, Shah, Nair, Joshi, "
            "Mehta, Agarwal, Rao",
        ),
        "IT": Common(
            female="Maria, Anna, Giulia, Francesca, Laura, Sara, Valentina, Chiara, Elena, Paola, Martina, Silvia, Federica, "
            "Alessandra, Giovanna, Roberta, Elisa, Barbara, Daniela, Giorgia, Simona, Rosa, Sofia, Angela, Cristina, "
            "Monica, Patrizia",
            male="Giuseppe, Marco, Andrea, Antonio, Francesco, Giovanni, Luca, Alessandro, Roberto, Mario, Matteo, Stefano, "
            "Davide, Lorenzo, Paolo, Luigi, Simone, Fabio, Salvatore, Vincenzo, Angelo, Daniele, Riccardo, Massimo, "
            "Federico, Claudio",
            last="Rossi, Russo, Ferrari, Esposito, Bianchi, Romano, Colombo, Ricci, Marino, Greco, Bruno, Gallo, Conti, De "
            "Luca, Costa, Mancini, Giordano, Rizzo, Lombardi, Moretti, Barbieri, Fontana, Santoro, Mariani, Rinaldi, "
            "Caruso, Ferrara, Galli",
        ),
        "JP": Common(
            female="Yoko, Keiko, Kazuko, Hiroko, Yumi, Naomi, Mayumi, Akemi, Tomoko, Yuko, Kumiko, Megumi, Emi, Mai, Ai, Yui, "
            "Misaki, Aya, Haruka, Sakura, Nanami, Mika, Miho, Rie, Chie, Eri, Kana, Saki, Ayaka, Asami, Hina, Rin, Mio, "
            "Hana, Noriko, Sachiko, Michiko, Junko, Reiko, Fumiko",
            male="Hiroshi, Takashi, Kenji, Akira, Makoto, Kazuya, Daisuke, Takeshi, Yuki, Kenta, Shota, Naoki, Tsuyoshi, "
            "Manabu, Satoshi, Koji, Yuji, Hiroki, Ryota, Tatsuya, Masashi, Kazuo, Toshio, Shigeru, Ryo, Sho, Daiki, "
            "Haruto, Ren, Yuto, Takumi, Sota, Kaito, Hayato, Kohei, Yusuke, Shinji, Jun, Osamu, Minoru",
            last="Saito, Yamazaki, Abe, Endo, Aoki, Sakamoto, Ota, Kaneko, Fukuda, Nishimura, Miura, Takeuchi, Harada, "
            "Nakano, Ono, Tamura, Fujiwara, Nakayama, Ishida, Kojima, Wada, Morita, Uchida, Shibata, Sakai, Hara, "
            "Takagi, Yokoyama, Miyazaki, Ueda, Ando, Miyamoto, Ueno, Maruyama, Imai, Takada, Fujimoto, Murata, Takeda, "
            "Sugiyama, Masuda, Sugawara, Hirano, Otsuka, Koyama, Kudo, Chiba, Kubo, Iwasaki, Matsui, Noguchi, "
            "Kinoshita, Nomura, Sakurai, Kikuchi, Sano, Onishi, Sugimoto, Arai, Hamada, Ichikawa, Furukawa, Mizuno, "
            "Komatsu, Shimada, Konishi, Yoshikawa, Nakajima",
        ),
        "KR": Common(
            female="지현, 지영, 은영, 미경, 수진, 민지, 서연, 은지, 지은, 영희, 혜진, 유진, 서윤, 지우, 수빈, 영숙",
            male="지훈, 민수, 성민, 영수, 현우, 동현, 준호, 민준, 성호, 정훈, 상훈, 영호, 서준, 도윤, 진호, 건우",
        ),
        "MX": Common(
            female="María, Guadalupe, Margarita, Verónica, Juana, Alejandra, Leticia, Patricia, Rosa, Adriana, Gabriela, "
            "Fernanda, Daniela, Mariana, Ana, Martha, Silvia, Elizabeth, Andrea, Sofía, Claudia, Norma, Teresa, Carmen",
            male="José, Juan, Luis, Miguel, Carlos, Jesús, Francisco, Jorge, Alejandro, Antonio, Manuel, Pedro, Fernando, "
            "Roberto, Eduardo, Ricardo, Daniel, Javier, Sergio, Arturo, Raúl, Óscar, Rafael, Martín, Diego, Víctor, "
            "Mario",
            last="Hernández, García, Martínez, López, González, Pérez, Rodríguez, Sánchez, Ramírez, Cruz, Flores, Gómez, "
            "Morales, Vázquez, Reyes, Jiménez, Torres, Díaz, Gutiérrez, Ruiz, Mendoza, Aguilar, Ortiz, Moreno, "
            "Castillo, Romero, Álvarez, Méndez",
        ),
        "NL": Common(
            female="Maria, Johanna, Anna, Sanne, Lisa, Laura, Lotte, Emma, Sophie, Anouk, Eva, Marieke, Linda, Esther, "
            "Monique, Julia, Iris",
            male="Jan, Johannes, Peter, Thomas, Daan, Tim, Lars, Mark, Jeroen, Martijn, Bas, Rob, Hendrik, Kees, Sander, "
            "Lucas, Luuk",
            last="de Jong, Jansen, de Vries, van den Berg, van Dijk, Bakker, Janssen, Visser, Smit, Meijer, de Boer, Mulder, "
            "de Groot, Bos, Vos, Peters, Hendriks, van Leeuwen, Dekker, Brouwer, de Wit, Dijkstra, Smits, de Graaf, van "
            "der Meer, Kok, Jacobs",
        ),
        "NO": Common(
            female="Anne, Inger, Kari, Marit, Ingrid, Liv, Eva, Anna, Maria, Ida, Hilde, Berit, Nina, Marianne, Camilla, "
            "Elisabeth, Kristin",
            male="Jan, Per, Bjørn, Ole, Lars, Kjell, Knut, Svein, Arne, Thomas, Geir, Hans, Morten, Martin, Andreas, Erik, "
            "Odd, Terje",
            last="Hansen, Johansen, Olsen, Larsen, Andersen, Pedersen, Nilsen, Kristiansen, Jensen, Karlsen, Johnsen, "
            "Pettersen, Eriksen, Berg, Haugen, Hagen, Johannessen, Andreassen, Jacobsen, Dahl, Jørgensen, Halvorsen, "
            "Henriksen, Lund, Sørensen",
        ),
        "PL": Common(
            female="Anna, Katarzyna, Maria, Małgorzata, Agnieszka, Barbara, Ewa, Krystyna, Magdalena, Elżbieta, Joanna, "
            "Aleksandra, Monika",
            male="Piotr, Krzysztof, Tomasz, Andrzej, Paweł, Jan, Michał, Marcin, Jakub, Adam, Łukasz, Marek, Grzegorz, "
            "Mateusz, Wojciech",
            last="Nowak",
        ),
        "RU": Common(
            female="Елена, Ольга, Наталья, Анна, Татьяна, Ирина, Мария, Светлана, Екатерина, Анастасия, Юлия, Марина, Галина, "
            "Людмила, Дарья",
            male="Александр, Сергей, Дмитрий, Андрей, Алексей, Максим, Евгений, Иван, Михаил, Владимир, Николай, Артём, "
            "Павел, Никита",
        ),
        "TR": Common(
            female="Fatma, Ayşe, Emine, Hatice, Zeynep, Elif, Meryem, Merve, Esra, Özlem, Büşra, Zehra, Sultan, Hülya, Kübra, "
            "Derya, Selin",
            male="Mehmet, Mustafa, Ahmet, Ali, Hüseyin, Hasan, İbrahim, Yusuf, Murat, Ömer, Osman, Emre, Ramazan, Halil, "
            "Fatih, Burak, Can",
            last="Yılmaz, Kaya, Demir, Çelik, Şahin, Yıldız, Yıldırım, Öztürk, Aydın, Özdemir, Arslan, Doğan, Kılıç, Aslan, "
            "Çetin, Kara, Koç, Kurt, Özkan, Şimşek, Polat, Korkmaz, Aktaş, Erdoğan, Yavuz, Güneş, Bulut, Türk, Avcı, "
            "Işık, Ateş",
        ),
        "UA": Common(
            female="Олена, Наталія, Тетяна, Ірина, Ольга, Оксана, Світлана, Анна, Марія, Юлія, Катерина, Людмила, Галина, "
            "Анастасія",
            male="Олександр, Сергій, Володимир, Андрій, Микола, Олексій, Дмитро, Іван, Михайло, Юрій, Максим, Богдан, "
            "Василь, Віктор",
            last="Мельник, Шевченко, Коваленко, Бондаренко, Бойко, Ткаченко, Кравченко, Ковальчук, Коваль, Олійник, Шевчук, "
            "Поліщук, Лисенко, Бондар, Ткачук, Марченко, Савченко, Руденко, Мороз, Петренко, Павленко, Гончаренко, "
            "Левченко, Кравчук",
        ),
    }
)
