// Without fonts of its own: the reader's are good.
import theme from 'vitepress/theme-without-fonts';
import './style.css';

export default theme;
