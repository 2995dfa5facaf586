"""Local parts that name an office, a duty or a machine rather than a person."""

from __future__ import annotations

# Words that are also common first names or surnames (bill, dean, mark, page) are left out; a hyphen stands for any separator.
_WORDS = """
abuse hostmaster noc security postmaster webmaster usenet news www uucp ftp info marketing sales support

root admin admins administrator administrators administration sysadmin sysop system systems operator operations ops devops
mailer-daemon mailerdaemon mailmaster mail mails email e-mail inbox daemon nobody null devnull blackhole cron dns dnsadmin
domain domains domainadmin host hosting server servers web website webteam webadmin webinfo online internet ssl ssladmin certs
certificates csirt cert soc cirt phishing spam fraud trust trust-safety whois registrar noreply no-reply no-replies donotreply
do-not-reply do-not-respond dontreply reply replies bounce bounces notification notifications notify alert alerts alarm
monitoring status newsletter newsletters mailing mailinglist list lists listserv majordomo subscribe unsubscribe subscription
subscriptions optout opt-out remove update updates digest auto-reply autoreply autoresponder robot bot

contact contacts contactus contact-us hello hi hey ask askus ask-us enquiry enquiries inquiry inquiries question questions query
feedback suggestions comments complaints complaint general generalinfo mailbox office offices frontoffice front-office
backoffice front-desk frontdesk reception receptionist desk helpdesk help-desk help service services customer customers client
clients customerservice customer-service customer-services customercare customer-care customersupport customer-support
customer-success customersuccess clientservices client-services care supportteam support-team techsupport tech-support
technical-support technicalsupport technical tech technician it itsupport it-support itdesk it-desk ithelp helpline hotline
servicedesk service-desk tickets ticket issues bugs bug

sale salesteam sales-team presales pre-sales salesinfo salesdesk commercial trade wholesale retail resellers reseller partner
partners partnership partnerships affiliates affiliate alliances business businessdevelopment business-development bizdev biz
deals bids tenders quote quotes quotation quotations estimates estimate rfq rfp order orders ordering shop store shopping
checkout cart shipping shipment shipments delivery deliveries dispatch logistics freight warehouse returns refunds refund
warranty export exports import imports procurement purchasing purchase purchases buying buyer buyers supply supplies supplier
suppliers vendor vendors inventory stock booking bookings reserve reservation reservations events event catering advertise
advertising ads adsales ad-sales sponsor sponsors sponsorship sponsorships promotions promo campaigns campaign communication
communications comms media mediarelations media-relations press pressoffice press-office publicity publicrelations
public-relations pr socialmedia social-media social community brand branding content editor editors editorial editorialteam
redaction letters publisher publishing publications webmarketing marketing-team marketingteam seo

accounting accountant accounts account accountspayable accounts-payable accountsreceivable accounts-receivable payable
receivable finance financial finances billing billings invoice invoices invoicing payment payments payroll treasury treasurer
tax taxes audit auditor controller controlling collections credit insurance claims claim legal lawyer lawyers counsel compliance
privacy dpo dataprotection data-protection gdpr copyright dmca licensing license licenses ethics whistleblower governance
regulatory risk quality qa safety environment sustainability csr ehs hse hr humanresources human-resources people peopleops
people-ops talent recruiting recruitment recruiter recruiters hiring job jobs career careers resume resumes cv vacancies
employment personnel staff staffing training trainings onboarding internship internships volunteer volunteers benefits

ceo cto cfo coo cmo cio ciso cso chairman president vicepresident vice-president director directors directorate management
manager managers managing-director executive executives board boardmembers secretary secretariat assistant assistants founder
founders owner owners investor investors investorrelations investor-relations shareholders team teams everyone everybody all
allstaff all-staff all-users allusers company corporate corp head headoffice head-office hq headquarters branch department dept
project projects projectmanager program programs programme product products productteam engineering engineer engineers
development developer developers dev devs developer-relations design designer designers research science lab laboratory labs
data database databases dba analytics analysis reports report reporting production manufacturing factory maintenance facilities
facility fleet construction planning planner property properties realestate real-estate leasing rentals rental architecture
strategy innovation

school schools university college faculty admission admissions registration enrollment enrolment enroll student students
studentservices student-services alumni library librarian principal teachers academic academics education courses course exams
scholarship scholarships parents kindergarten museum gallery theatre theater church parish ministry chapel mayor council clerk
cityhall city-hall townhall town-hall municipality embassy consulate police fire rescue emergency hospital clinic doctors
practice pharmacy dental dentist surgery nurses patients appointments appointment referrals hotel restaurant bar cafe bistro spa
salon club clubhouse studio gym fitness travel tours tour trips tourism touristinfo tourist-info visit visitors membership
memberships member members donate donations donation donor donors fundraising foundation charity grants grant federation
association

test tests testing tester demo sample example guest guests user users username webuser default anonymous unknown undisclosed
undisclosed-recipients nospam no-spam temp tmp trial beta api sandbox staging git github gitlab jira jenkins build builds ci svn
postbox postfix exchange sendmail smtp imap pop pop3 mx mail-admin mailadmin spamfilter antispam quarantine dmarc dmarc-reports
dmarcreports tlsrpt tls-reports tlsreports rua ruf dkim fbl backup backups archive archives print printer scan scanner scans
copier fax faxes voicemail phone calendar meeting meetings room conference conferenceroom signup sign-up login register welcome
verify verification survey surveys poll vote voting contest competition

kontakt kontakte anfrage anfragen auskunft auskunftsstelle buero büro sekretariat vorzimmer empfang rezeption zentrale
verwaltung geschaeftsfuehrung geschäftsführung geschaeftsleitung geschäftsleitung geschaeftsstelle geschäftsstelle vorstand
leitung inhaber vertrieb verkauf einkauf bestellung bestellungen auftrag auftraege aufträge angebot angebote versand lager
logistik kunden kundenservice kunden-service kundendienst kundenbetreuung kundencenter beratung technik werkstatt buchhaltung
rechnung rechnungen rechnungswesen rechnungseingang mahnung finanzen steuer steuern personal personalabteilung bewerbung
bewerbungen karriere ausbildung praktikum stellen presse pressestelle redaktion öffentlichkeitsarbeit oeffentlichkeitsarbeit
werbung veranstaltung veranstaltungen datenschutz datenschutzbeauftragter impressum recht rechtsabteilung kanzlei praxis
apotheke rathaus gemeinde buergermeister bürgermeister buergerbuero bürgerbüro stadt stadtverwaltung schule schulleitung
schulsekretariat kita pfarramt pfarrbuero pfarrbüro gemeindebuero gemeindebüro verein vereinsbuero feuerwehr polizei buchung
buchungen reservierung reservierungen zimmer gaeste gäste gaestehaus gästehaus touristik bestellservice poststelle post
hausverwaltung immobilien bauamt ordnungsamt standesamt

accueil bonjour renseignement renseignements information informations réservation réservations secrétariat direction directeur
directrice gerant gérant administratif comptabilite comptabilité compta facturation facture factures commerciale commerciaux
vente ventes achat achats commande commandes livraison livraisons expedition expédition devis clientele clientèle serviceclient
service-client serviceclients service-clients sav relationclient relation-client assistance technique informatique recrutement
rh ressourceshumaines ressources-humaines emploi emplois stage stages candidature candidatures formation formations rédaction
juridique mairie ecole école lycee lycée bibliotheque bibliothèque mediatheque médiathèque paroisse cabinet boutique magasin
atelier agence syndic adherents adhérents billetterie billeterie

contacto contactos contactenos contáctenos consulta consultas informacion información informes hola atencion atención
atencionalcliente atencion-al-cliente atencioncliente atencion-cliente clientes cliente ventas comercial compras pedido pedidos
presupuesto presupuestos envios envíos almacen almacén facturacion facturación facturas contabilidad administracion
administración direccion dirección gerencia gerente secretaria secretaría recepcion recepción reservas recursoshumanos
recursos-humanos rrhh empleo trabajo curriculum curriculos formacion formación soporte soportetecnico soporte-tecnico tecnico
técnico servicio servicios serviciotecnico servicio-tecnico informatica informática sistemas prensa comunicacion comunicación
publicidad mercadeo legales juridico jurídico protecciondedatos privacidad sugerencias reclamaciones quejas oficina tienda
taller colegio escuela ayuntamiento alcaldia alcaldía biblioteca

contatto contatti informazioni ufficio uffici segreteria amministrazione amministratore direzione presidenza contabilita
contabilità fatture fatturazione vendite acquisti ordini ordine preventivi preventivo spedizioni magazzino logistica clienti
servizioclienti servizio-clienti assistenza assistenzaclienti assistenza-clienti assistenzatecnica tecnica ufficiotecnico
ufficio-tecnico ufficiostampa ufficio-stampa ufficioacquisti stampa redazione comunicazione pubblicita pubblicità risorseumane
risorse-umane personale lavoro lavoraconnoi lavora-con-noi formazione prenotazioni prenotazione negozio laboratorio scuola
comune protocollo sindaco parrocchia studio-legale pec

contato contatos fale faleconosco fale-conosco atendimento ouvidoria sac vendas venda orcamento orçamento orcamentos orçamentos
entrega entregas expedicao expedição estoque faturamento cobranca cobrança financeiro fiscal contabilidade administracao
administração administrativo diretoria diretor gerência recepcao recepção recrutamento vagas trabalheconosco trabalhe-conosco
suporte suportetecnico suporte-tecnico assistencia assistência ti imprensa comunicacao comunicação publicidade privacidade loja
prefeitura escola

contactpersoon informatie vragen klantenservice klanten verkoop inkoop bestellingen boekhouding facturen administratie directie
secretariaat receptie vacatures sollicitatie pers redactie kantoor winkel bibliotheek biuro sklep sprzedaz sprzedaż zamowienia
zamówienia kadry ksiegowosc księgowość faktury reklamacje serwis obsluga obsługa rekrutacja praca szkola szkoła redakcja
dyrekcja kundtjanst kundtjänst kundeservice ordre faktura regnskab okonomi økonomi ekonomi salg forsaljning försäljning bokning
kontor asiakaspalvelu myynti laskutus toimisto obchod objednavky fakturace ucetni podpora ertekesites ugyfelszolgalat penzugy
szamlazas iroda titkarsag satis satış muhasebe iletisim iletişim bilgi destek insankaynaklari zakaz zakazy buh buhgalteria kadri
otdel-kadrov priemnaya toiawase otoiawase eigyo saiyo kouhou jinji soumu keiri
"""

_HYPHENATED = frozenset(_WORDS.split())

ROLES = _HYPHENATED | {word.replace("-", "") for word in _HYPHENATED}
"""RFC 2142 sections 3 to 6 and the words organisations of several languages put before the at sign. Lower case."""
