"""Words of user interfaces in several languages and scripts."""

# ruff: noqa: RUF001 - letters of other scripts look like Latin ones

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language of the pages.

    Attributes:
        code: As in HTML's ``lang``.
        is_rtl: Whether it is written from right to left.
        words: By key; every language has the same keys.
    """

    code: str
    is_rtl: bool = False
    words: Mapping[str, str]

    @property
    def letters(self) -> str:
        """Every character that is needed to write it."""
        return "".join(
            sorted({letter for word in self.words.values() for letter in word if not letter.isspace()})
        )


KEYS = [
    "save",
    "cancel",
    "delete",
    "send",
    "search",
    "email",
    "password",
    "name",
    "city",
    "address",
    "next",
    "buy",
    "cart",
    "sign_in",
    "sign_up",
    "welcome",
    "settings",
    "messages",
    "photos",
    "music",
    "calendar",
    "orders",
    "customers",
    "revenue",
    "today",
    "new",
    "help",
    "share",
    "download",
    "language",
    "message_1",
    "message_2",
    "title_1",
    "title_2",
    "title_3",
    "text_1",
    "text_2",
    "cookies",
    "agree",
]

_LINES = {
    "en": (
        "Save|Cancel|Delete|Send|Search|Email|Password|Name|City|Address|Next|Add to cart|Cart|Sign in|Create account|"
        "Welcome back|Settings|Messages|Photos|Music|Calendar|Orders|Customers|Revenue|Today|New|Help|Share|Download|Language|"
        "Shall we meet at noon?|The parcel has arrived.|Morning by the river|A small house in the north|Coffee and bread|"
        "The light comes early here, and the boats leave before the town is awake.|Pack lightly, walk slowly, and take the "
        "longer path home.|We keep a few settings in your browser.|Agree"
    ),
    "de": (
        "Speichern|Abbrechen|Löschen|Senden|Suchen|E-Mail-Adresse|Passwort|Name|Stadt|Anschrift|Weiter|In den Warenkorb|"
        "Warenkorb|Anmelden|Konto erstellen|Willkommen zurück|Einstellungen|Nachrichten|Fotos|Musik|Kalender|Bestellungen|"
        "Kundschaft|Umsatz|Heute|Neu|Hilfe|Teilen|Herunterladen|Sprache|Treffen wir uns mittags?|Das Paket ist da.|"
        "Morgens am Fluss|Ein kleines Haus im Norden|Kaffee und Brot|Das Licht kommt früh, und die Boote fahren, bevor die "
        "Stadt erwacht.|Wenig packen, langsam gehen, den längeren Heimweg nehmen.|Wir merken uns einige Einstellungen.|Gut"
    ),
    "fr": (
        "Enregistrer|Annuler|Supprimer|Envoyer|Rechercher|Adresse e-mail|Mot de passe|Nom|Ville|Adresse|Suivant|Ajouter au "
        "panier|Panier|Se connecter|Créer un compte|Bon retour|Paramètres|Messages|Photos|Musique|Calendrier|Commandes|Clients|"
        "Recettes|Aujourd’hui|Nouveau|Aide|Partager|Télécharger|Langue|On se voit à midi ?|Le colis est arrivé.|Matin au bord "
        "de l’eau|Une petite maison au nord|Café et pain|La lumière vient tôt et les bateaux partent avant le réveil.|Peu de "
        "bagages, un pas lent, le chemin le plus long.|Nous gardons quelques réglages.|D’accord"
    ),
    "es": (
        "Guardar|Cancelar|Borrar|Enviar|Buscar|Correo|Contraseña|Nombre|Ciudad|Dirección|Siguiente|Añadir al carrito|Carrito|"
        "Entrar|Crear cuenta|Hola de nuevo|Ajustes|Mensajes|Fotos|Música|Calendario|Pedidos|Clientes|Ingresos|Hoy|Nuevo|Ayuda|"
        "Compartir|Descargar|Idioma|¿Nos vemos al mediodía?|El paquete ha llegado.|Mañana junto al río|Una casa pequeña en el "
        "norte|Café y pan|La luz llega pronto y los barcos salen antes de que despierte el pueblo.|Poco equipaje, paso lento y "
        "el camino más largo.|Guardamos algunos ajustes.|De acuerdo"
    ),
    "ru": (
        "Сохранить|Отмена|Удалить|Отправить|Поиск|Почта|Пароль|Имя|Город|Адрес|Далее|В корзину|Корзина|Войти|Создать аккаунт|"
        "С возвращением|Настройки|Сообщения|Фото|Музыка|Календарь|Заказы|Клиенты|Доход|Сегодня|Новое|Помощь|Поделиться|Скачать|"
        "Язык|Встретимся в полдень?|Посылка пришла.|Утро у реки|Маленький дом на севере|Кофе и хлеб|Свет приходит рано, и лодки "
        "уходят, пока город спит.|Меньше вещей, медленнее шаг, длиннее дорога домой.|Мы храним несколько настроек.|Хорошо"
    ),
    "ar": (
        "حفظ|إلغاء|حذف|إرسال|بحث|البريد|كلمة السر|الاسم|المدينة|العنوان|التالي|أضف إلى السلة|السلة|دخول|إنشاء حساب|أهلا بعودتك|"
        "الإعدادات|الرسائل|الصور|الموسيقى|التقويم|الطلبات|العملاء|الدخل|اليوم|جديد|مساعدة|مشاركة|تنزيل|اللغة|هل نلتقي ظهرا؟|وصل "
        "الطرد.|صباح عند النهر|بيت صغير في الشمال|قهوة وخبز|يأتي الضوء مبكرا وتغادر القوارب قبل أن تستيقظ المدينة.|احمل القليل وامش "
        "ببطء وخذ الطريق الأطول.|نحفظ بعض الإعدادات.|موافق"
    ),
    "he": (
        "שמירה|ביטול|מחיקה|שליחה|חיפוש|דואר|סיסמה|שם|עיר|כתובת|הבא|הוספה לסל|סל|כניסה|יצירת חשבון|שמחים שחזרת|הגדרות|הודעות|"
        "תמונות|מוזיקה|יומן|הזמנות|לקוחות|הכנסה|היום|חדש|עזרה|שיתוף|הורדה|שפה|ניפגש בצהריים?|החבילה הגיעה.|בוקר ליד הנהר|בית קטן "
        "בצפון|קפה ולחם|האור מגיע מוקדם והסירות יוצאות לפני שהעיר מתעוררת.|לארוז מעט, ללכת לאט ולבחור בדרך הארוכה.|אנחנו שומרים כמה "
        "הגדרות.|בסדר"
    ),
    "ja": (
        "保存|キャンセル|削除|送信|検索|メール|パスワード|名前|市区町村|住所|次へ|カートに入れる|カート|ログイン|登録する|お帰りなさい|設定|"
        "メッセージ|写真|音楽|カレンダー|注文|お客様|売上|今日|新規|ヘルプ|共有|ダウンロード|言語|正午に会いましょうか。|荷物が届きました。|川辺の朝|"
        "北の小さな家|コーヒーとパン|光は早く訪れ、町が目を覚ます前に舟が出る。|荷物は軽く、歩みはゆっくり、帰りは遠回りで。|設定をブラウザーに保存します。|"
        "同意する"
    ),
    "zh": (
        "保存|取消|删除|发送|搜索|邮箱|密码|姓名|城市|地址|下一步|加入购物车|购物车|登录|创建账户|欢迎回来|设置|消息|照片|音乐|日历|订单|客户|收入|"
        "今天|新建|帮助|分享|下载|语言|中午见面好吗?|包裹已经到了。|河边的早晨|北方的小屋|咖啡和面包|这里天亮得早,城镇醒来之前船已出发。|轻装慢行,走更长的路回家。|"
        "我们会保存一些设置。|同意"
    ),
    "ko": (
        "저장|취소|삭제|보내기|검색|이메일|비밀번호|이름|도시|주소|다음|장바구니 담기|장바구니|로그인|계정 만들기|다시 오셨네요|설정|메시지|사진|음악|달력|"
        "주문|고객|수익|오늘|새로 만들기|도움말|공유|내려받기|언어|정오에 만날까요?|소포가 도착했어요.|강가의 아침|북쪽의 작은 집|커피와 빵|빛은 일찍 오고 배는 마을이 "
        "깨기 전에 떠난다.|짐은 가볍게, 걸음은 천천히, 먼 길로 돌아가자.|몇 가지 설정을 저장합니다.|동의"
    ),
}

LANGUAGES: Mapping[str, Language] = {
    code: Language(
        code=code, is_rtl=code in ("ar", "he"), words=dict(zip(KEYS, line.split("|"), strict=True))
    )
    for code, line in _LINES.items()
}
"""Every language by its code."""
